import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { loadConfig } from '../config/loader.ts';
import { ExitCode, UnderstudyError } from '../core/errors.ts';
import { MeasurePool } from '../evaluate/measure-pool.ts';
import { GROUPS_FILE, type InputFile, type LeftOut, listFolder, listInputs, People } from '../evaluate/pairs.ts';
import { ablationJson, ablationReport, ablationText } from '../evaluate/report/ablation-report.ts';
import { type Compared, comparisonTable } from '../evaluate/report/comparison-table.ts';
import { htmlReport } from '../evaluate/report/html-report.ts';
import { PAPER_NOTE } from '../evaluate/report/paper-tables.ts';
import { scoreTable } from '../evaluate/report/terminal-table.ts';
import { meaningless, resultJson } from '../evaluate/result.ts';
import { calibrateThresholds, readThresholds } from '../evaluate/thresholds.ts';
import { XDisplay } from '../gpu-post/x-display.ts';
import { ModelStore } from '../infer/model-store.ts';
import { runAblation } from './ablation.ts';
import { collected } from './collected.ts';
import { CountLine } from './count-line.ts';
import { checkResults, openWorkFolder } from './evaluate-folder.ts';
import { type Bench, evaluateVariant, type Variant } from './evaluate-variant.ts';
import { foreignModels } from './foreign-model.ts';

export const METHODS = ['generate', 'blur', 'pixelate', 'mask', 'noise'] as const;

export interface EvaluateArguments {
  readonly originals?: string;
  readonly calibrate?: string;
  readonly anonymized?: string;
  readonly method?: string;
  readonly match?: string;
  readonly groups?: string;
  readonly attack?: boolean;
  readonly ablation?: boolean;
  readonly gallery?: string;
  readonly keys: string;
  readonly frames: string;
  readonly every: string;
  readonly json?: string;
  readonly html?: string;
  /** False with --no-faces. */
  readonly faces: boolean;
  readonly compare?: string[];
  readonly work?: string;
  readonly workers?: string;
  readonly config?: string;
  readonly set?: string[];
  readonly progress?: string;
}

export function registerEvaluate(program: Command): void {
  program
    .command('evaluate')
    .description("score an anonymizer with the paper's metrics, the video metrics and attacks")
    .option('--originals <folder>', 'pictures or videos as they were')
    .option('--anonymized <folder>', 'the output of any method, paired by name')
    .option(
      '--method <method>',
      `run this one first, through the whole pipeline: ${METHODS.join(', ')}, or onnx:MODEL of somebody else`,
    )
    .option('--match <text>', 'only files whose name contains this')
    .option(
      '--groups <csv>',
      'first column: how names begin, one person each; other columns: groups (default: info.csv)',
    )
    .option('--attack', 'also try to find out who it was')
    .option(
      '--gallery <text>',
      'the attacks search in other pictures of the same people: those of --originals whose name contains this',
    )
    .option('--keys <n>', 'keys to run --method with, for the attacks that need several', '3')
    .option('--frames <n>', 'frames of each video to look at', '150')
    .option('--every <n>', 'the recognizers look at every n-th frame of a face', '5')
    .option('--ablation', "with --method generate: the rows of the paper's table VI and ours, by switching parts off")
    .option('--calibrate <folder>', "instead: recognizers' thresholds from pictures of other people, one each")
    .option('--json <file>', 'write all figures')
    .option('--html <file>', 'write a report with pictures in one file; it holds original faces')
    .option('--no-faces', 'leave all pictures out of the report, so that it may be shown')
    .option('--compare <json...>', 'figures of earlier runs: a table of all methods, and their shapes in the report')
    .option('--work <folder>', 'keep anonymized pictures and measurements here; a stopped run goes on from them')
    .option('--workers <n>', 'judges at work at once, 400 MB each (default: one a core, at most 8)')
    .option('--config <file>', 'settings for --method')
    .option('--set <key=value>', 'one setting; may be given several times', collected)
    .option('--progress <line|none>', 'status on stderr')
    .action(async (options: EvaluateArguments) => {
      process.exitCode = options.calibrate ? await calibrate(options.calibrate, options) : await evaluate(options);
    });
}

function usage(message: string, remedy: string): UnderstudyError {
  return new UnderstudyError(ExitCode.usage, message, remedy);
}

/** @returns the exit code; throws UnderstudyError */
async function evaluate(options: EvaluateArguments): Promise<number> {
  const { originals, json, html } = options;
  if (originals === undefined) throw usage('--originals is missing', 'name the folder of the pictures as they were');
  if (options.gallery && !options.attack)
    throw usage('--gallery says where attacks search, and there are none', 'add --attack');
  if (options.ablation && options.method !== 'generate')
    throw usage('--ablation switches parts of our own method off', 'add --method generate');
  const keys = count(options.keys, '--keys');
  const maxFrames = count(options.frames, '--frames');
  const lookEvery = count(options.every, '--every');
  const files = listInputs(originals, options.match);
  const csv = join(originals, GROUPS_FILE);
  const groups = options.groups ?? (existsSync(csv) ? csv : undefined);
  const workers = options.workers === undefined ? undefined : count(options.workers, '--workers');
  checkProgress(options.progress);
  checkResults(
    [json, html],
    [
      ...files.map((file) => file.path),
      ...anonymizedFiles(options),
      ...(options.compare ?? []),
      groups,
      options.config,
    ],
  );
  const compared = (options.compare ?? []).map(readCompared);
  const folder = openWorkFolder(options.work);
  const work = folder.path;
  let measurer: MeasurePool | undefined;
  try {
    const variant = variantOf(options, work);
    // One X display for all engines of this process: GL's connection to a display that ends ends the process with it, so
    // that this one is left to end by itself when the process is gone.
    if (variant.config?.mode === 'generate') await XDisplay.open();
    measurer = await MeasurePool.start(workers);
    const bench: Bench = {
      originals: files,
      ...uncounted(options),
      match: options.match ?? '',
      people: People.read(groups),
      measurer,
      thresholds: readThresholds(join(ModelStore.open().dir, 'evaluate', 'thresholds.json')),
      ...(options.gallery && { gallery: galleryOf(originals, options.gallery) }),
      work,
      home: work,
      keeps: options.work !== undefined,
      keys,
      attack: options.attack ?? false,
      progress: options.progress,
      maxFrames,
      lookEvery,
    };
    if (options.ablation) return await ablation(bench, options);
    const result = await evaluateVariant(variant, bench);
    process.stdout.write(scoreTable(result));
    if (compared.length > 0)
      process.stdout.write(`\n${comparisonTable([resultJson(result), ...compared])}\n${PAPER_NOTE}\n`);
    if (json) writeFileSync(json, `${JSON.stringify(resultJson(result), null, 2)}\n`);
    if (html) {
      const { recognizers } = measurer;
      writeFileSync(html, htmlReport({ result, recognizers, people: bench.people, compared, faces: options.faces }));
    }
    return judged([meaningless(result)]);
  } finally {
    await measurer?.close();
    folder.close();
  }
}

async function ablation(bench: Bench, { config, set = [], json, html, faces }: EvaluateArguments): Promise<number> {
  const result = await runAblation(bench, config, set);
  process.stdout.write(ablationText(result));
  if (json) writeFileSync(json, `${JSON.stringify(ablationJson(result), null, 2)}\n`);
  if (html) writeFileSync(html, ablationReport(result, faces));
  return judged(result.rows.map(({ parts, why }) => why && `${parts}: ${why}`));
}

/** @param whys for each that was run why its figures mean nothing, if so @returns the exit code */
function judged(whys: readonly (string | undefined)[]): number {
  const said = whys.filter((why) => why !== undefined);
  for (const why of said)
    process.stderr.write(`understudy: ${why}; the figures are of another set than the one that was named\n`);
  return said.length > 0 ? ExitCode.noFace : ExitCode.ok;
}

function count(text: string, name: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1) return value;
  throw usage(`${name} is no number: ${text}`, `give it like ${name} 3`);
}

function checkProgress(style: string | undefined): void {
  if (style !== undefined && style !== 'line' && style !== 'none')
    throw usage(`--progress ${style} is not known`, 'use line or none');
}

/** What the folders hold beside the files that are compared: named in the result. */
function uncounted({ originals, anonymized, match }: EvaluateArguments) {
  const listed = listFolder(originals!, match);
  const outputs = anonymized === undefined ? undefined : listFolder(anonymized, match);
  const asOutput = ({ name, reason }: LeftOut) => ({ name, reason: `anonymized: ${reason}` });
  const ofOutputs = outputs ? [...outputs.ambiguous, ...outputs.other].map(asOutput) : [];
  return { ambiguous: listed.ambiguous, uncounted: [...listed.other, ...ofOutputs] };
}

/** @throws UnderstudyError(input) when there is no picture in it */
function galleryOf(originals: string, match: string): InputFile[] {
  const pictures = listInputs(originals, match).filter((f) => f.kind === 'picture');
  if (pictures.length > 0) return pictures;
  const message = `${originals} holds no picture whose name contains "${match}", for the attacks to search in`;
  throw new UnderstudyError(ExitCode.input, message, 'give another --gallery');
}

/** A result in the place of one of them would be read as the next run's input. */
const anonymizedFiles = ({ anonymized, match }: EvaluateArguments): string[] =>
  anonymized === undefined ? [] : listInputs(anonymized, match).map((file) => file.path);

function variantOf(options: EvaluateArguments, work: string): Variant {
  const { anonymized, method } = options;
  if (anonymized !== undefined && method === undefined) return { label: anonymized, folder: anonymized };
  if (method === undefined || anonymized !== undefined)
    throw usage('give either --anonymized or --method', 'the first scores a folder, the second runs a method itself');
  const foreign = /^onnx:(.+)$/.exec(method)?.[1];
  if (foreign === undefined && !(METHODS as readonly string[]).includes(method))
    throw usage(`there is no method ${method}`, `use one of ${METHODS.join(', ')} or onnx:model.onnx`);
  const model =
    foreign === undefined ? [] : [`models.dir=${foreignModels(foreign, ModelStore.open(), join(work, 'models'))}`];
  // What is drawn over our own generator's eyes and mouths is not another model's.
  const own = foreign === undefined ? [] : ['post.features=false'];
  const sets = [...own, ...(options.set ?? []), `mode=${foreign === undefined ? method : 'generate'}`, ...model];
  return {
    label: method,
    config: loadConfig({ ...(options.config && { file: options.config }), sets, env: process.env }),
  };
}

function readCompared(path: string): Compared {
  try {
    const { method, metrics, n, perFaceTrack } = JSON.parse(readFileSync(path, 'utf8')) as Compared;
    if (typeof method === 'string' && metrics && !Array.isArray(metrics))
      return { method, metrics, ...(typeof n === 'number' && { n }), ...(perFaceTrack && { perFaceTrack }) };
    throw new Error('no method, no metrics');
  } catch (cause) {
    throw new UnderstudyError(ExitCode.input, `${path} is no result of evaluate`, 'name a file written by --json', {
      cause,
    });
  }
}

/** Writes what models/evaluate/thresholds.json holds: only numbers, so that it can be passed on. */
async function calibrate(folder: string, options: EvaluateArguments): Promise<number> {
  const files = listInputs(folder, options.match);
  const csv = join(folder, GROUPS_FILE);
  const people = People.read(options.groups ?? (existsSync(csv) ? csv : undefined));
  checkProgress(options.progress);
  checkResults([options.json], [...files.map((file) => file.path), options.groups]);
  const measurer = await MeasurePool.start();
  try {
    const line = new CountLine(options.progress, 'read', files.length);
    const source = `${files.length} pictures`;
    const made = await calibrateThresholds(measurer, files, { people, source, onFile: (n) => line.at(n) });
    line.end();
    for (const { name, reason } of made.leftOut) process.stderr.write(`left out ${name}: ${reason}\n`);
    const text = `${JSON.stringify(made.thresholds, null, 2)}\n`;
    process.stdout.write(text);
    if (options.json) writeFileSync(options.json, text);
    const measurable = Object.values(made.thresholds).some((t) => t.threshold !== undefined);
    return measurable ? ExitCode.ok : ExitCode.noFace;
  } finally {
    await measurer.close();
  }
}
