import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BrowserContext, Page } from 'playwright-core';
import { ExitCode, UnderstudyError } from '../core/errors.ts';
import { type PageTools, pageTools } from './bench-live-page.ts';
import { readStamp } from './frame-stamp.ts';

const PATHS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** A headless Chromium whose camera and microphone play files. */
export class BenchBrowser {
  readonly #context: BrowserContext;
  readonly #page: Page;
  readonly #profile: string;

  private constructor(context: BrowserContext, page: Page, profile: string) {
    this.#context = context;
    this.#page = page;
    this.#profile = profile;
  }

  /** @param camera a Y4M file @param microphone a WAV file @param url page to open @throws UnderstudyError(tool) */
  static async open(camera: string, microphone: string, url: string): Promise<BenchBrowser> {
    const executablePath = PATHS.find((path) => existsSync(path));
    if (!executablePath) {
      throw new UnderstudyError(ExitCode.tool, 'no Chromium was found', 'install the Debian package chromium');
    }
    // A tool of the tests: those who only run the program have no use for it.
    const { chromium } = await import('playwright-core').catch(() => {
      throw new UnderstudyError(
        ExitCode.tool,
        'the package playwright-core is not installed',
        'run npm ci with the development dependencies',
      );
    });
    const profile = mkdtempSync(join(tmpdir(), 'understudy-bench-'));
    const context = await chromium.launchPersistentContext(profile, {
      executablePath,
      headless: true,
      args: [
        ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'],
        ...['--disable-component-update', '--disable-sync', '--autoplay-policy=no-user-gesture-required'],
        ...['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'],
        ...[`--use-file-for-fake-video-capture=${camera}`, `--use-file-for-fake-audio-capture=${microphone}`],
      ],
      permissions: ['camera', 'microphone'],
    });
    const page = context.pages()[0] ?? (await context.newPage());
    await page.goto(url);
    // The TypeScript loader wraps named functions in a helper that the page does not have.
    await page.evaluate('globalThis.__name = (f) => f');
    await page.evaluate(`(${String(pageTools)})(${String(readStamp)})`);
    return new BenchBrowser(context, page, profile);
  }

  /** Calls one of the page's tools. */
  call<K extends keyof PageTools>(
    name: K,
    ...args: Parameters<PageTools[K]>
  ): Promise<Awaited<ReturnType<PageTools[K]>>> {
    return this.#page.evaluate(`tools.${name}(...${JSON.stringify(args)})`) as Promise<
      Awaited<ReturnType<PageTools[K]>>
    >;
  }

  async close(): Promise<void> {
    await this.#context.close();
    rmSync(this.#profile, { recursive: true, force: true });
  }
}
