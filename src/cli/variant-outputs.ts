import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../config/loader.ts';
import { ExitCode, UnderstudyError } from '../core/errors.ts';
import { type FilePair, type InputFile, type LeftOut, listFolder, listInputs, pairByName } from '../evaluate/pairs.ts';
import { ModelStore } from '../infer/model-store.ts';
import { anonymizeSet, outputOf } from './anonymize-set.ts';
import type { Bench, Variant } from './evaluate-variant.ts';
import { furtherKey, keyMark, streamNumbers, workKey } from './work-state.ts';

export interface Asked {
  readonly originals: readonly InputFile[];
  /** Which key: 1 is the one that is attacked. */
  readonly key: number;
  /** Of the folder's name. */
  readonly suffix: string;
}

export interface Outputs {
  readonly folder: string;
  readonly leftOut: readonly LeftOut[];
  readonly timePerFaceMs?: number;
}

/** Tells of each pair when its output is there: at once, or as the method makes them. @throws UnderstudyError */
export async function outputs(
  { folder, config, track = {} }: Variant,
  bench: Bench,
  { originals, key, suffix }: Asked,
  onPair: (pair: FilePair) => void,
): Promise<Outputs> {
  if (folder !== undefined) {
    const { kind } = originals[0]!;
    const paired = pairByName(
      originals,
      listInputs(folder, bench.match).filter((f) => f.kind === kind),
    );
    for (const pair of paired.pairs) onPair(pair);
    return { folder, leftOut: paired.leftOut };
  }
  const own = join(bench.work, `anonymized${suffix}`);
  const keyed = { ...config!, sessionKey: furtherKey(workKey(bench.home, config!.sessionKey), key) };
  claim(own, keyed, track);
  const numbers = streamNumbers(bench.home, bench.originals);
  const settings = { config: keyed, track, timed: key === 1, streamOf: (file: InputFile) => numbers.get(file)! };
  const made = await anonymizeSet(settings, originals, own, (original) =>
    onPair({ original, anonymized: { ...original, path: outputOf(original, own) } }),
  );
  return { ...made, folder: own };
}

/** What a folder of outputs holds of a kind of which there are no originals. */
export function outputsAlone({ folder }: Variant, { match }: Bench, kind: InputFile['kind']): LeftOut[] {
  if (folder === undefined) return [];
  return pairByName(
    [],
    listFolder(folder, match).files.filter((f) => f.kind === kind),
  ).leftOut;
}

/** The network's hash: what an earlier one made is not this one's. */
function generatorOf({ mode, models, infer }: Config) {
  if (mode !== 'generate') return {};
  const store = ModelStore.open({
    ...(models.dir && { dir: models.dir }),
    ...(models.cacheDir && { cacheDir: models.cacheDir }),
  });
  const beside = ['generator-identities'].filter((name) => store.lists(name));
  const detail = store.detail(infer.detail);
  return { generator: store.hashes([store.generator(infer.precision), ...(detail ? [detail] : []), ...beside]) };
}

/** Pictures of other settings, another key or another generator in the same folder would be taken for this run's. */
function claim(folder: string, config: Config, track: Readonly<Record<string, unknown>>): void {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, '.settings.json');
  const { sessionKey, ...shown } = config;
  const settings = JSON.stringify({
    ...shown,
    key: keyMark(sessionKey),
    analysis: track,
    ...generatorOf(config),
  });
  if (existsSync(path) && readFileSync(path, 'utf8') !== settings) {
    throw new UnderstudyError(
      ExitCode.usage,
      `${folder} holds pictures made with other settings, another key or another generator`,
      'give another --work, or delete that folder',
    );
  }
  writeFileSync(path, settings, { mode: 0o600 });
}
