import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir, totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { type Config, loadConfig } from '../config/loader.ts';
import { ExitCode, UnderstudyError } from '../core/errors.ts';
import { evaluatePairs } from '../evaluate/evaluate-pairs.ts';
import { openJudges } from '../evaluate/judges/judges.ts';
import { FaceObserver } from '../evaluate/observer.ts';
import { type LeftOut, listInputs, People, pairByName } from '../evaluate/pairs.ts';
import { scoreTable } from '../evaluate/report/terminal-table.ts';
import { type EvaluationResult, resultJson } from '../evaluate/result.ts';
import { score, setDistance } from '../evaluate/score.ts';
import { calibrateThresholds, readThresholds } from '../evaluate/thresholds.ts';
import { ModelStore } from '../infer/model-store.ts';
import { anonymizePictures } from './anonymize-pictures.ts';
import { CountLine } from './count-line.ts';

export const METHODS = ['generate', 'blur', 'pixelate', 'mask', 'noise'] as const;

interface EvaluateArguments {
  readonly originals?: string;
  readonly calibrate?: string;
  readonly anonymized?: string;
  readonly method?: string;
  readonly match?: string;
  readonly groups?: string;
  readonly json?: string;
  readonly work?: string;
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
    .option('--method <method>', `run this one first, through the whole pipeline: ${METHODS.join(', ')}`)
    .option('--match <text>', 'only files whose name contains this')
    .option(
      '--groups <csv>',
      'first column: how names begin, one person each; other columns: groups (default: info.csv)',
    )
    .option('--calibrate <folder>', "instead: recognizers' thresholds from pictures of other people, one each")
    .option('--json <file>', 'write all figures')
    .option('--work <folder>', 'keep anonymized pictures and measurements here; a stopped run goes on from them')
    .option('--config <file>', 'settings for --method')
    .option('--set <key=value...>', 'one setting')
    .option('--progress <line|none>', 'status on stderr')
    .action(async (options: EvaluateArguments) => {
      process.exitCode = await evaluate(options);
    });
}

/** @returns the exit code; throws UnderstudyError */
async function evaluate(options: EvaluateArguments): Promise<number> {
  if (options.calibrate) return calibrate(options.calibrate, options);
  const folder = checkMethod(options);
  const originals = listInputs(folder, options.match).filter((f) => f.kind === 'picture');
  const people = People.read(options.groups ?? defaultGroups(folder));
  const work = options.work ? resolve(options.work) : mkdtempSync(join(tmpdir(), 'understudy-evaluate-'));
  mkdirSync(work, { recursive: true });
  try {
    const leftOut: LeftOut[] = [];
    let outputs = options.anonymized;
    let timePerFaceMs: number | undefined;
    if (!outputs) {
      outputs = join(work, 'anonymized');
      const line = new CountLine(options.progress, 'anonymized', originals.length);
      const made = await anonymizePictures(methodConfig(options), originals, outputs, (n) => line.at(n));
      line.end();
      leftOut.push(...made.leftOut);
      timePerFaceMs = made.timePerFaceMs;
    }
    const paired = pairByName(originals, listInputs(outputs, options.match));
    leftOut.push(...paired.leftOut);
    const store = ModelStore.open();
    const observer = await FaceObserver.create(store, await openJudges(store));
    const line = new CountLine(options.progress, 'measured', paired.pairs.length);
    const measured = await evaluatePairs(paired.pairs, {
      observer,
      people,
      ...(options.work && { recordsPath: join(work, 'records.jsonl') }),
      onPair: (n) => line.at(n),
    });
    line.end();
    leftOut.push(...measured.leftOut);
    if (measured.records.length === 0) {
      const reason = leftOut[0] ? ` (${leftOut[0].name}: ${leftOut[0].reason})` : '';
      throw new UnderstudyError(
        ExitCode.noFace,
        `none of ${originals.length} pictures could be compared${reason}`,
        'see that both folders hold files of the same names with faces in them',
      );
    }
    const thresholds = readThresholds(join(store.dir, 'evaluate', 'thresholds.json'));
    const { recognizers } = observer.judges;
    const scores = score(measured.records, { recognizers, thresholds });
    scores.kid = setDistance(measured.records, 'A');
    if (timePerFaceMs !== undefined) scores.timePerFaceMs = { value: timePerFaceMs, low: Number.NaN, high: Number.NaN };
    const result: EvaluationResult = {
      machine: `${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}, ${Math.round(totalmem() / 2 ** 30)} GB`,
      method: options.method ?? options.anonymized!,
      scores,
      thresholds,
      attacks: {},
      records: measured.records,
      leftOut,
      absent: observer.judges.absent,
    };
    process.stdout.write(scoreTable(result));
    if (options.json) writeFileSync(options.json, `${JSON.stringify(resultJson(result), null, 2)}\n`);
    return ExitCode.ok;
  } finally {
    if (!options.work) rmSync(work, { recursive: true, force: true });
  }
}

/** Writes what models/evaluate/thresholds.json holds: only numbers, so that it can be passed on. */
async function calibrate(folder: string, options: EvaluateArguments): Promise<number> {
  const files = listInputs(folder, options.match);
  const store = ModelStore.open();
  const observer = await FaceObserver.create(store, await openJudges(store));
  const line = new CountLine(options.progress, 'read', files.length);
  const made = await calibrateThresholds(observer, files, `${files.length} pictures`, (n) => line.at(n));
  line.end();
  for (const { name, reason } of made.leftOut) process.stderr.write(`left out ${name}: ${reason}\n`);
  const text = `${JSON.stringify(made.thresholds, null, 2)}\n`;
  process.stdout.write(text);
  if (options.json) writeFileSync(options.json, text);
  return Object.keys(made.thresholds).length > 0 ? ExitCode.ok : ExitCode.noFace;
}

/** @returns the folder of the originals */
function checkMethod({ originals, anonymized, method }: EvaluateArguments): string {
  const usage = (message: string, remedy: string) => new UnderstudyError(ExitCode.usage, message, remedy);
  if (originals === undefined) throw usage('--originals is missing', 'name the folder of the pictures as they were');
  if ((anonymized === undefined) === (method === undefined))
    throw usage('give either --anonymized or --method', 'the first scores a folder, the second runs a method itself');
  if (method !== undefined && !(METHODS as readonly string[]).includes(method))
    throw usage(`there is no method ${method}`, `use one of ${METHODS.join(', ')}`);
  return originals;
}

function methodConfig(options: EvaluateArguments): Config {
  const sets = [...(options.set ?? []), `mode=${options.method}`];
  return loadConfig({ ...(options.config && { file: options.config }), sets, env: process.env });
}

function defaultGroups(folder: string): string | undefined {
  const path = join(folder, 'info.csv');
  return existsSync(path) ? path : undefined;
}
