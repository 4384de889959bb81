import { type ChildProcess, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { ended, freePort, temporaryFolder } from './support.ts';

export interface ServeSettings {
  readonly serve: Record<string, unknown>;
  readonly [section: string]: unknown;
}

/** The program as a user starts it: `understudy serve` from the build, on free ports, with a settings file. */
export class ServeProcess {
  readonly config: string;
  readonly base: string;
  readonly metrics: string;
  readonly api: string;
  readonly child: ChildProcess;
  readonly #log: string[];

  private constructor(
    child: ChildProcess,
    config: string,
    ports: Record<string, number>,
    log: string[],
    scheme: 'http' | 'https',
  ) {
    this.child = child;
    this.config = config;
    const at = (name: string) => `http://127.0.0.1:${ports[name]}`;
    [this.base, this.metrics, this.api] = [at('port').replace('http', scheme), at('metricsPort'), at('apiPort')];
    this.#log = log;
  }

  /** Over HTTPS when the settings have a certificate. */
  static async start(settings: ServeSettings): Promise<ServeProcess> {
    const config = join(temporaryFolder(), 'serve.yaml');
    writeFileSync(config, stringify(withPorts(settings, await freePorts(3))));
    return ServeProcess.#launch(config, settings.serve.tlsCert ? 'https' : 'http');
  }

  /** Another process with the settings, and the ports, of this one, which has ended. */
  again(): Promise<ServeProcess> {
    return ServeProcess.#launch(this.config, this.base.startsWith('https') ? 'https' : 'http');
  }

  static async #launch(config: string, scheme: 'http' | 'https'): Promise<ServeProcess> {
    const child = spawn(process.execPath, ['dist/main.js', 'serve', '--config', config], {
      stdio: ['ignore', 'inherit', 'pipe'],
    });
    const log: string[] = [];
    const ports = await new Promise<Record<string, number>>((resolve, reject) => {
      let rest = '';
      child.stderr!.setEncoding('utf8').on('data', (text: string) => {
        const lines = (rest + text).split('\n');
        rest = lines.pop()!;
        for (const line of lines) {
          log.push(line);
          if (line.includes('"msg":"listening"')) resolve(JSON.parse(line) as Record<string, number>);
        }
      });
      child.once('exit', (code) => reject(new Error(`serve ended with ${code}: ${log.join('\n')}`)));
    });
    return new ServeProcess(child, config, ports, log, scheme);
  }

  get log(): string {
    return this.#log.join('\n');
  }

  /** A sample of /metrics; 0 when it is not there. */
  async metric(name: string, labels: string): Promise<number> {
    const text = await (await fetch(`${this.metrics}/metrics`)).text();
    const line = text.split('\n').find((l) => l.startsWith(`understudy_${name}{${labels}}`));
    return Number(line?.split(' ').at(-1) ?? 0);
  }

  rewrite(settings: ServeSettings): void {
    const ports = [this.base, this.metrics, this.api].map((url) => Number(new URL(url).port));
    writeFileSync(this.config, stringify(withPorts(settings, ports)));
  }

  async stop(): Promise<number | null> {
    this.child.kill('SIGTERM');
    await ended(this.child);
    return this.child.exitCode;
  }
}

function withPorts(settings: ServeSettings, ports: number[]) {
  const [port, metricsPort, apiPort] = ports;
  const fixed = { host: '127.0.0.1', port, metricsPort, apiPort };
  return { ...settings, serve: { additionalHosts: ['127.0.0.1'], ...settings.serve, ...fixed } };
}

export function freePorts(count: number): Promise<number[]> {
  return Promise.all(Array.from({ length: count }, freePort));
}
