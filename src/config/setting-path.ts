import type { z } from 'zod';
import { configSchema } from './schema.ts';

type Schema = z.core.$ZodType;
type Def = z.core.$ZodTypeDef & {
  readonly shape?: Readonly<Record<string, Schema>>;
  readonly innerType?: Schema;
  readonly valueType?: Schema;
  readonly options?: readonly Schema[];
  readonly values?: readonly unknown[];
};

const defOf = (schema: Schema): Def => {
  const def = schema._zod.def as Def;
  return def.innerType ? defOf(def.innerType) : def;
};

/** What a setting or a section takes; undefined when there is none of that name. */
function at(path: readonly string[]): Def | undefined {
  let def: Def | undefined = defOf(configSchema);
  for (const key of path) {
    const next: Schema | undefined =
      def.valueType ?? (Object.hasOwn(def.shape ?? {}, key) ? def.shape![key] : undefined);
    if (!next) return undefined;
    def = defOf(next);
  }
  return def;
}

/** A table of further settings. */
export const isSection = (path: readonly string[]): boolean => {
  const def = at(path);
  return def?.type === 'object' || def?.type === 'record';
};

/** Takes text only, which must not be read as a number or a list on the way. */
export const takesText = (path: readonly string[]): boolean => {
  const def = at(path);
  return def !== undefined && isText(def);
};

function isText({ type, options = [], values = [] }: Def): boolean {
  if (type === 'union') return options.every((option) => isText(defOf(option)));
  return type === 'string' || type === 'enum' || (type === 'literal' && values.every((v) => typeof v === 'string'));
}

/** `TRACK`, `LOOKAHEADFRAMES` → `track`, `lookaheadFrames`. @param names those of a table whose keys the user gives */
export function spelled(parts: readonly string[], names: (path: readonly string[]) => readonly string[]): string[] {
  const path: string[] = [];
  for (const part of parts) {
    const def = at(path);
    const known = def?.valueType ? names(path) : Object.keys(def?.shape ?? {});
    path.push(known.find((key) => key.toLowerCase() === part.toLowerCase()) ?? part);
  }
  return path;
}
