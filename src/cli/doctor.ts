import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { loadConfig } from '../config/loader.ts';
import { ExitCode, UnderstudyError } from '../core/errors.ts';
import { findFfmpeg } from '../core/ffmpeg.ts';
import { Compositor } from '../gpu-post/compositor.ts';
import { ModelStore } from '../infer/model-store.ts';

interface Check {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
}

async function check(name: string, look: () => Promise<string>): Promise<Check> {
  try {
    return { name, ok: true, detail: await look() };
  } catch (error) {
    const { message, remedy } = error as UnderstudyError;
    return { name, ok: false, detail: remedy ? `${message}; ${remedy}` : message };
  }
}

async function graphics(): Promise<string> {
  const compositor = await Compositor.start({
    faceMemory: new SharedArrayBuffer(1024),
    faceSize: 128,
    mode: 'generate',
    photometry: { relight: true, pyramid: true, colour: true, sigmaInterocular: 0.24 },
  });
  const { renderer } = (await compositor.ready) as { renderer: string };
  await compositor.close();
  return renderer;
}

function vnni(): string {
  try {
    return /avx512_vnni|avx_vnni/.test(readFileSync('/proc/cpuinfo', 'utf8'))
      ? 'int8 dot products (VNNI)'
      : 'no VNNI: the int8 generator gains less (1.2 times over fp32 where measured)';
  } catch {
    return 'unknown';
  }
}

export function registerDoctor(program: Command): void {
  program
    .command('doctor')
    .description('says what is there, what is missing and how to get it')
    .option('--json', 'as JSON')
    .action(async ({ json }: { json?: boolean }) => {
      // As the other commands find them, which read the environment.
      const { ffmpeg, models: folders } = loadConfig({ sets: [], env: process.env });
      const { dir, cacheDir } = folders;
      const models = (): ModelStore => ModelStore.open({ ...(dir && { dir }), ...(cacheDir && { cacheDir }) });
      const list = await check('list of models', async () => models().dir);
      const checks = [
        await check('Node.js', async () => process.version),
        await check('ffmpeg', async () => {
          const { path, version, probePath } = await findFfmpeg(ffmpeg.path || undefined);
          if (!probePath)
            throw new UnderstudyError(
              ExitCode.tool,
              `${version} (${path}) is there without ffprobe, which recordings need`,
              'install the ffmpeg package (it brings ffprobe)',
            );
          return `${version} (${path}, with ffprobe)`;
        }),
        await check('X display and GL', graphics),
        // Loaded here only: where its library is broken, the other commands say so in their own words.
        await check('ONNX Runtime', async () => {
          const { providersFor } = await import('../infer/session.ts');
          return `execution providers ${providersFor().join(', ')}`;
        }),
        await check('processor', async () => vnni()),
        list,
        ...(list.ok ? models().status() : [])
          .filter((m) => !m.group)
          .map((m) => ({
            name: `model ${m.name}`,
            ok: m.state === 'ok',
            detail: m.state === 'ok' ? `${m.sha256.slice(0, 12)} from ${m.source}` : `${m.state}; run scripts/setup.sh`,
          })),
      ];
      if (json) process.stdout.write(`${JSON.stringify(checks, null, 2)}\n`);
      else for (const c of checks) process.stdout.write(`${c.ok ? 'ok     ' : 'MISSING'} ${c.name}: ${c.detail}\n`);
      if (checks.some((c) => !c.ok)) process.exitCode = ExitCode.tool;
    });
}
