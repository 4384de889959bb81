import { randomBytes } from 'node:crypto';
import { existsSync, statSync } from 'node:fs';
import type { Command } from 'commander';
import { type Config, loadConfig } from '../config/loader.ts';
import { ExitCode, UnderstudyError } from '../core/errors.ts';
import { isLiveAddress } from '../core/stream-address.ts';
import { checkReport } from '../egress/file/output-path.ts';
import { withoutFace } from '../guard/audit-record.ts';
import { stillKind } from '../ingest/file/still-format.ts';
import { Engine } from '../pipeline/engine.ts';
import { anonymizeFile, onlyFirst } from './anonymize-file.ts';
import { collected } from './collected.ts';
import { allGrey, greySentences } from './grey.ts';
import { Interruption } from './interruption.ts';
import { isProgressStyle, ProgressLine, type ProgressStyle } from './progress.ts';
import { fileReport, modelHashes, runReport, writeReport } from './report.ts';
import { runFolder } from './run-folder.ts';

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
  readonly again?: boolean;
  readonly overwrite?: boolean;
  readonly also?: string[];
}

export function registerRun(program: Command): void {
  program
    .command('run')
    .description('anonymize a recording, a picture, a folder of them, or a live stream')
    .argument('<input>', 'video, picture or folder; live: rtsp://…, device:NAME')
    .argument(
      '<output>',
      'video (.mp4, .mov, .mkv, .webm), picture (.jpg, .png, .webp) or folder; live: rtsp://…, udp://…, srt://…, v4l2:/dev/videoN',
    )
    .option('--also <address>', 'a further output of the same live stream; may be given several times', collected)
    .option('--config <file>', 'YAML file of settings (configs/default.yaml documents all of them)')
    .option('--set <key=value>', 'one setting; may be given several times', collected)
    .option('--mode <mode>', 'generate, blur, pixelate, mask or noise')
    .option('--start <seconds>', 'begin here')
    .option('--duration <seconds>', 'stop after this long')
    .option('--codec <codec>', 'h264, h265 or vp9; auto: what the ending stands for')
    .option('--crf <n>', 'quality, lower is better')
    .option('--audio <keep|drop>', 'sound')
    .option('--no-relight', 'leave out the relighting')
    .option('--no-pyramid', "leave out the original's lowest frequencies")
    .option('--no-colour', 'leave out the colour transfer')
    .option('--report <file>', 'write what was done as JSON')
    .option('--progress <line|json|none>', 'status on stderr')
    .option('--allow-no-face', 'exit with 0 also when no face was found')
    .option('--again', 'folders: do files once more that were done already')
    .option('--overwrite', 'folders: replace files in the output folder that no run has made')
    .action(async (input: string, output: string, options: RunOptions) => {
      const live = isLiveAddress(input) || isLiveAddress(output);
      const run = live ? (await import('./run-live.ts')).runLive : runFile;
      process.exitCode = await run(input, output, options);
    });
}

export function seconds(text: string | undefined, name: string): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  // Number('') is 0.
  if (text.trim() !== '' && Number.isFinite(value) && value >= 0) return value;
  throw new UnderstudyError(ExitCode.usage, `${name} is not a number of seconds: ${text}`, `give it like ${name} 12.5`);
}

/** How long; nothing at all is no length. @throws UnderstudyError(usage) */
export function lengthSeconds(text: string | undefined, name: string): number | undefined {
  const value = seconds(text, name);
  if (value !== 0) return value;
  throw new UnderstudyError(ExitCode.usage, `${name} is 0`, `give it like ${name} 12.5, or leave it out`);
}

export function progressStyle(text: string | undefined): ProgressStyle | undefined {
  if (text === undefined || isProgressStyle(text)) return text;
  throw new UnderstudyError(ExitCode.usage, `--progress ${text} is not known`, 'use line, json or none');
}

export function settings(options: RunOptions): Config {
  const sets = [...(options.set ?? [])];
  if (options.mode) sets.push(`mode=${options.mode}`);
  if (options.codec) sets.push(`egress.codec=${options.codec}`);
  if (options.crf) sets.push(`egress.crf=${options.crf}`);
  if (options.audio) sets.push(`egress.audio=${options.audio}`);
  if (options.relight === false) sets.push('post.relight=false');
  if (options.pyramid === false) sets.push('post.pyramid=false');
  if (options.colour === false) sets.push('post.colour=false');
  return loadConfig({ ...(options.config && { file: options.config }), sets, env: process.env });
}

const say = (sentence: string): void => void process.stderr.write(`understudy: ${sentence}\n`);

/** @returns the process's exit code; throws UnderstudyError */
export async function runFile(input: string, output: string, options: RunOptions): Promise<number> {
  const config = settings(options);
  if (options.also)
    throw new UnderstudyError(
      ExitCode.usage,
      '--also adds outputs to a live stream, and neither the input nor the output is one',
      'run it once for each output',
    );
  const startS = seconds(options.start, '--start');
  const durationS = lengthSeconds(options.duration, '--duration');
  const range = { ...(startS !== undefined && { startS }), ...(durationS !== undefined && { durationS }) };
  const progress = new ProgressLine(progressStyle(options.progress));
  const sessionKey = config.sessionKey ? Buffer.from(config.sessionKey, 'hex') : randomBytes(32);
  let started: Promise<Engine> | undefined;
  const engine = (still: boolean) => {
    started ??= startEngine(config, sessionKey, {}, { still });
    return started;
  };
  if (options.report) checkReport(options.report, [input], [output]);
  const shared = async () => runReport(config, modelHashes(config, (await started)?.models ?? []));
  const interruption = new Interruption();
  const common = { input, output, config, stop: interruption.signal };
  let begun = false;
  try {
    if (existsSync(input) && statSync(input).isDirectory()) {
      if (startS !== undefined || durationS !== undefined)
        throw new UnderstudyError(
          ExitCode.usage,
          '--start and --duration are for one recording, not for a folder',
          'leave them out',
        );
      const report = options.report !== undefined;
      const { again = false, overwrite = false } = options;
      // It keeps to itself what fails because of a signal; all that it throws has to be told.
      begun = true;
      const { exitCode, ...folder } = await runFolder({
        ...common,
        engine,
        dropped: () => interruption.dropped,
        ...(options.report && { reportPath: options.report }),
        ...{ again, overwrite, progress, report, allowNoFace: options.allowNoFace ?? false },
      });
      if (options.report) writeReport(options.report, { ...(await shared()), ...folder });
      return exitCode;
    }
    const outcome = await anonymizeFile({
      ...common,
      ...range,
      engine: () => engine(stillKind(input) !== undefined),
      onStart: (total) => progress.start(total),
      onFrame: (p) => {
        begun = true;
        progress.frame(p);
      },
    });
    const { result } = outcome;
    // Stopped before the first picture: there is no output.
    if (interruption.signal.aborted && result.audit.totals.frames === 0) return ExitCode.interrupted;
    progress.end(result);
    if (options.report)
      writeReport(options.report, {
        ...(await fileReport(input, output, outcome)),
        ...(await shared()),
      });
    if (outcome.further) say(onlyFirst(input, output));
    for (const sentence of greySentences(input, output, result.audit.totals)) say(sentence);
    if (result.sourceError) throw result.sourceError;
    if (interruption.signal.aborted) return ExitCode.interrupted;
    const failure = allGrey(output, result.audit.totals);
    if (failure) throw failure;
    if (withoutFace(result.audit.totals) && !options.allowNoFace) {
      say(`no face was found in ${input}; look at ${output} before you trust it, or pass --allow-no-face`);
      return ExitCode.noFace;
    }
    return ExitCode.ok;
  } catch (error) {
    // Whatever fails before the first picture then, fails because of the signal: a terminal sends it to ffprobe too.
    if (interruption.dropped || (interruption.signal.aborted && !begun)) return ExitCode.interrupted;
    throw error;
  } finally {
    interruption.close();
    await started?.then(
      (e) => e.close(),
      () => {},
    );
  }
}

export interface StartOptions {
  readonly live?: boolean;
  /** Still pictures only: all cores may look for faces. */
  readonly still?: boolean;
  readonly onWarning?: (sentence: string) => void;
}

/** @param analysis options of the analysis that no setting reaches (`understudy evaluate --ablation`) */
export function startEngine(
  config: Config,
  sessionKey: Uint8Array,
  analysis: Readonly<Record<string, unknown>> = {},
  { live = false, still = false, onWarning = say }: StartOptions = {},
): Promise<Engine> {
  const { lookaheadFrames: _, ...track } = config.track;
  return Engine.start({
    mode: config.mode,
    photometry: { ...config.post },
    sessionKey,
    live,
    still,
    track: { ...config.detect, ...track, ...analysis },
    infer: config.infer,
    ...(config.models.dir && { modelsDir: config.models.dir }),
    ...(config.models.cacheDir && { cacheDir: config.models.cacheDir }),
    onWarning,
  });
}
