import { createHash, randomBytes } from 'node:crypto';
import { createReadStream, writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import { type Config, loadConfig } from '../config/loader.ts';
import { ExitCode, UnderstudyError } from '../core/errors.ts';
import { checkOutput, openFileSink } from '../egress/file/file-sink.ts';
import { ModelStore } from '../infer/model-store.ts';
import { openFileSource } from '../ingest/file/file-source.ts';
import { Engine } from '../pipeline/engine.ts';
import { isLiveAddress } from '../pipeline/live-addresses.ts';
import { runStream, type StreamResult } from '../pipeline/stream.ts';
import { ProgressLine } from './progress.ts';
import { runLive } from './run-live.ts';

/** Frames in the stages beyond the look-ahead: decoding, analysed, generated, composed. */
const FRAMES_UNDER_WAY = 8;

export interface RunOptions {
  readonly config?: string;
  readonly set?: string[];
  readonly start?: string;
  readonly duration?: string;
  readonly mode?: string;
  readonly codec?: string;
  readonly crf?: string;
  readonly audio?: string;
  readonly relight?: boolean;
  readonly pyramid?: boolean;
  readonly colour?: boolean;
  readonly report?: string;
  readonly progress?: string;
  readonly allowNoFace?: boolean;
  readonly also?: string[];
}

export function registerRun(program: Command): void {
  program
    .command('run')
    .description('anonymize a recording or a live stream')
    .argument('<input>', 'video file, rtsp://…, or device:NAME')
    .argument('<output>', 'video file (.mp4, .mov, .mkv, .webm), rtsp://…, udp://…, srt://… or v4l2:/dev/videoN')
    .option('--also <address...>', 'further live outputs of the same stream')
    .option('--config <file>', 'YAML file of settings (configs/default.yaml documents all of them)')
    .option('--set <key=value...>', 'one setting')
    .option('--mode <mode>', 'generate, blur, pixelate, mask or noise')
    .option('--start <seconds>', 'begin here')
    .option('--duration <seconds>', 'stop after this long')
    .option('--codec <codec>', 'h264, h265 or vp9')
    .option('--crf <n>', 'quality, lower is better')
    .option('--audio <keep|drop>', 'sound')
    .option('--no-relight', 'leave out the relighting')
    .option('--no-colour', 'leave out the colour transfer')
    .option('--report <file>', 'write what was done as JSON')
    .option('--progress <line|json|none>', 'status on stderr')
    .option('--allow-no-face', 'exit with 0 also when no face was found')
    .action(async (input: string, output: string, options: RunOptions) => {
      const live = isLiveAddress(input) || isLiveAddress(output);
      process.exitCode = await (live ? runLive : runFile)(input, output, options);
    });
}

export function seconds(text: string | undefined, name: string): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (Number.isFinite(value) && value >= 0) return value;
  throw new UnderstudyError(ExitCode.usage, `${name} is not a number of seconds: ${text}`, `give it like ${name} 12.5`);
}

export function settings(options: RunOptions): Config {
  const sets = [...(options.set ?? [])];
  if (options.mode) sets.push(`mode=${options.mode}`);
  if (options.codec) sets.push(`egress.codec=${options.codec}`);
  if (options.crf) sets.push(`egress.crf=${options.crf}`);
  if (options.audio) sets.push(`egress.audio=${options.audio}`);
  if (options.relight === false) sets.push('post.relight=false');
  if (options.colour === false) sets.push('post.colour=false');
  return loadConfig({ ...(options.config && { file: options.config }), sets, env: process.env });
}

/** @returns the process's exit code; throws UnderstudyError */
export async function runFile(input: string, output: string, options: RunOptions): Promise<number> {
  const config = settings(options);
  const startS = seconds(options.start, '--start');
  const durationS = seconds(options.duration, '--duration');
  checkOutput(output, input);
  const range = { ...(startS !== undefined && { startS }), ...(durationS !== undefined && { durationS }) };
  const ffmpeg = config.ffmpeg.path ? { ffmpegPath: config.ffmpeg.path } : {};
  const source = await openFileSource(input, {
    ...range,
    ...ffmpeg,
    poolFrames: config.track.lookaheadFrames + FRAMES_UNDER_WAY,
    damageLookback: config.ingest.damageLookback,
  });
  const sessionKey = config.sessionKey ? Buffer.from(config.sessionKey, 'hex') : randomBytes(32);
  const engine = await startEngine(config, sessionKey);
  const stop = new AbortController();
  let interrupted = false;
  const onSignal = () => {
    if (interrupted) process.exit(ExitCode.interrupted);
    interrupted = true;
    stop.abort();
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  const progress = new ProgressLine(options.progress, source.info.frameCount);
  try {
    const { audioCodec } = source.probe;
    const sink = await openFileSink(output, {
      ...config.egress,
      ...ffmpeg,
      format: source.info.format,
      ...(config.egress.audio === 'keep' && audioCodec && { audioFrom: { path: input, codec: audioCodec, ...range } }),
    });
    const result = await runStream(engine, {
      source,
      sink,
      lookaheadFrames: config.track.lookaheadFrames,
      lossless: true,
      stop: stop.signal,
      onFrame: (p) => progress.frame(p),
    });
    progress.end(result);
    if (options.report) await writeReport(options.report, { input, output, config, source, result });
    if (result.sourceError) throw result.sourceError;
    if (interrupted) return ExitCode.interrupted;
    if (result.audit.totals.faces + result.audit.totals.veiledFrames === 0 && !options.allowNoFace) {
      process.stderr.write(
        `understudy: no face was found in ${input}; look at ${output} before you trust it, or pass --allow-no-face\n`,
      );
      return ExitCode.noFace;
    }
    return ExitCode.ok;
  } finally {
    process.off('SIGINT', onSignal);
    process.off('SIGTERM', onSignal);
    await source.close();
    await engine.close();
  }
}

export function startEngine(
  config: Config,
  sessionKey: Uint8Array,
  live = false,
  onWarning: (sentence: string) => void = (sentence) => process.stderr.write(`understudy: ${sentence}\n`),
): Promise<Engine> {
  const { lookaheadFrames: _, ...track } = config.track;
  return Engine.start({
    mode: config.mode,
    photometry: { ...config.post },
    sessionKey,
    live,
    track: { ...config.detect, ...track },
    infer: config.infer,
    ...(config.models.dir && { modelsDir: config.models.dir }),
    ...(config.models.cacheDir && { cacheDir: config.models.cacheDir }),
    onWarning,
  });
}

async function sha256(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

interface ReportInput {
  readonly input: string;
  readonly output: string;
  readonly config: Config;
  readonly source: { readonly probe: unknown };
  readonly result: StreamResult;
}

async function writeReport(path: string, { input, output, config, source, result }: ReportInput): Promise<void> {
  const { sessionKey: _, ...shown } = config;
  const report = {
    input: { path: input, sha256: await sha256(input), ...(source.probe as object) },
    output: { path: output, sha256: await sha256(output) },
    settings: shown,
    models: ModelStore.open().hashes([
      'face-detector',
      'face-landmarks',
      'face-recognizer',
      'generator-128',
      'shape-68',
    ]),
    totals: { ...result.audit.totals, decodeErrors: result.decodeErrors },
    faceTracks: result.audit.faceTracks,
    firstFrameMs: result.firstFrameMs,
    stages: result.timings.summary(),
  };
  try {
    writeFileSync(path, `${JSON.stringify(report, null, 2)}\n`);
  } catch (cause) {
    throw new UnderstudyError(
      ExitCode.output,
      `the report ${path} could not be written`,
      'check its folder; the video itself is complete',
      { cause },
    );
  }
}
