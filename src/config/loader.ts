import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import type { z } from 'zod';
import { ExitCode, UnderstudyError } from '../core/errors.ts';
import { type Config, configSchema } from './schema.ts';
import { isSection, spelled, takesText } from './setting-path.ts';

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
  const inFile = structuredClone(tree);
  for (const [name, value] of Object.entries(sources.env)) {
    if (!name.startsWith(ENV_PREFIX) || ENV_OTHERS.has(name) || value === undefined) continue;
    const parts = name.slice(ENV_PREFIX.length).split('__');
    const path = spelled(parts, (table) => namesIn(inFile, table));
    assign(tree, path, value, name);
  }
  for (const set of sources.sets) {
    const at = set.indexOf('=');
    if (at < 1) throw usage(`--set ${set} has no value`, 'write it as --set section.key=value');
    const name = set.slice(0, at);
    assign(tree, name.split('.'), set.slice(at + 1), name);
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
  let tree: unknown;
  try {
    tree = parse(text) ?? {};
  } catch (error) {
    throw usage(
      `the settings file ${file} is not YAML: ${(error as Error).message.split('\n')[0]}`,
      'correct that line',
    );
  }
  if (isTree(tree)) return fillSections(tree);
  throw usage(`the settings file ${file} holds no settings`, 'write them as configs/default.yaml does');
}

/** @param name as the user has called it */
function assign(tree: Tree, path: string[], text: string, name: string): void {
  if (path.includes('__proto__')) throw usage(`there is no setting ${path.join('.')}`, 'see configs/default.yaml');
  let node = tree;
  for (const key of path.slice(0, -1)) {
    const inner = Object.hasOwn(node, key) ? node[key] : undefined;
    if (typeof inner !== 'object' || inner === null) node[key] = {};
    node = node[key] as Tree;
  }
  node[path.at(-1)!] = takesText(path) ? unquoted(text.trim()) : value(text, name);
}

/** Hexadecimal keys, addresses and tokens must not become numbers or lists. */
const unquoted = (text: string): string => /^(["'])(.*)\1$/s.exec(text)?.[2] ?? text;

function value(text: string, name: string): unknown {
  try {
    return parse(text);
  } catch (error) {
    const why = (error as Error).message.split('\n')[0]!.replace(/:$/, '');
    throw usage(`the value of ${name} is not YAML: ${why}`, 'correct it');
  }
}

/** Sections of which only the name is there, for all of their settings are commented out. */
function fillSections(tree: Tree, path: readonly string[] = []): Tree {
  for (const [key, inner] of Object.entries(tree)) {
    const here = [...path, key];
    if (inner === null && isSection(here)) tree[key] = {};
    else if (isTree(inner)) fillSections(inner, here);
  }
  return tree;
}

const isTree = (value: unknown): value is Tree => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Names in a table, of the file, else those that are there without one. */
function namesIn(tree: Tree, path: readonly string[]): string[] {
  const find = (root: Tree) =>
    path.reduce<unknown>((node, key) => (isTree(node) && Object.hasOwn(node, key) ? node[key] : undefined), root);
  const table = find(tree) ?? find(configSchema.parse({}) as Tree);
  return isTree(table) ? Object.keys(table) : [];
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
