import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import type { z } from 'zod';
import { ExitCode, UnderstudyError } from '../core/errors.ts';
import { type Config, configSchema } from './schema.ts';

export type { Config } from './schema.ts';

const ENV_PREFIX = 'UNDERSTUDY_';
const ENV_OTHERS = new Set(['UNDERSTUDY_CACHE']);

export interface ConfigSources {
  readonly file?: string;
  /** `section.key=value`, the strongest. */
  readonly sets: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
}

type Tree = { [key: string]: unknown };

function usage(message: string, remedy: string): UnderstudyError {
  return new UnderstudyError(ExitCode.usage, message, remedy);
}

/** Defaults, then the file, then `UNDERSTUDY_SECTION__KEY`, then `--set`. @throws UnderstudyError(usage) naming key and remedy */
export function loadConfig(sources: ConfigSources): Config {
  const tree: Tree = sources.file ? readTree(sources.file) : {};
  for (const [name, value] of Object.entries(sources.env)) {
    if (!name.startsWith(ENV_PREFIX) || ENV_OTHERS.has(name) || value === undefined) continue;
    assign(tree, name.slice(ENV_PREFIX.length).split('__').map(knownSpelling), value);
  }
  for (const set of sources.sets) {
    const at = set.indexOf('=');
    if (at < 1) throw usage(`--set ${set} has no value`, 'write it as --set section.key=value');
    assign(tree, set.slice(0, at).split('.'), set.slice(at + 1));
  }
  const result = configSchema.safeParse(tree);
  if (result.success) return result.data;
  throw explain(result.error.issues[0]!);
}

function readTree(file: string): Tree {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    throw usage(`the settings file ${file} cannot be read`, 'check the name given to --config');
  }
  try {
    return (parse(text) as Tree | null) ?? {};
  } catch (error) {
    throw usage(
      `the settings file ${file} is not YAML: ${(error as Error).message.split('\n')[0]}`,
      'correct that line',
    );
  }
}

function assign(tree: Tree, path: string[], text: string): void {
  let node = tree;
  for (const key of path.slice(0, -1)) {
    if (typeof node[key] !== 'object' || node[key] === null) node[key] = {};
    node = node[key] as Tree;
  }
  const key = path.at(-1)!;
  // Hexadecimal keys and paths must not become numbers.
  node[key] = key === 'sessionKey' ? text : parse(text);
}

/** `TRACK__LOOKAHEADFRAMES` → `track`, `lookaheadFrames`. */
function knownSpelling(part: string): string {
  return (
    knownKeys()
      .flatMap((k) => k.split('.'))
      .find((k) => k.toLowerCase() === part.toLowerCase()) ?? part
  );
}

/** Tables whose keys are names that the user gives. */
const TABLES = new Set(['serve.streams']);

/** All settings as `section.key`. */
export function knownKeys(): string[] {
  const walk = (tree: Tree, prefix: string): string[] =>
    Object.entries(tree).flatMap(([key, value]) =>
      typeof value === 'object' && value !== null && !Array.isArray(value) && !TABLES.has(prefix + key)
        ? walk(value as Tree, `${prefix}${key}.`)
        : [prefix + key],
    );
  return walk(configSchema.parse({}) as Tree, '');
}

function explain(issue: z.core.$ZodIssue): UnderstudyError {
  const path = issue.path.join('.');
  if (issue.code === 'unrecognized_keys') {
    const wrong = [path, issue.keys[0]].filter(Boolean).join('.');
    return usage(`there is no setting ${wrong}`, `did you mean ${nearest(wrong)}?`);
  }
  return usage(`the setting ${path} is wrong: ${issue.message}`, 'see configs/default.yaml for what it takes');
}

function nearest(wrong: string): string {
  const sections = Object.keys(configSchema.shape);
  const byDistance = [...knownKeys(), ...sections].map((key) => ({
    key,
    d: editDistance(wrong.toLowerCase(), key.toLowerCase()),
  }));
  return byDistance.sort((a, b) => a.d - b.d)[0]!.key;
}

/** Levenshtein distance. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++)
      next[j] = Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + Number(a[i - 1] !== b[j - 1]));
    row = next;
  }
  return row.at(-1)!;
}
