import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ExitCode, UnderstudyError } from '../core/errors.ts';
import type { ModelStore } from '../infer/model-store.ts';

interface Entry {
  readonly name: string;
  readonly file?: string;
}

/**
 * A folder of models in which somebody else's generator stands in for ours: what `models.dir` is set to for
 * `--method onnx:PATH`. The description beside the model comes along.
 */
export function foreignModels(path: string, store: ModelStore, folder: string): string {
  const description = path.replace(/\.onnx$/, '.json');
  if (!path.endsWith('.onnx') || !existsSync(path))
    throw new UnderstudyError(
      ExitCode.input,
      `there is no model ${path}`,
      'name an .onnx file: --method onnx:model.onnx',
    );
  mkdirSync(folder, { recursive: true });
  copyFileSync(path, join(folder, 'foreign.onnx'));
  if (existsSync(description)) copyFileSync(description, join(folder, 'foreign.json'));
  const { models } = JSON.parse(readFileSync(join(store.dir, 'manifest.json'), 'utf8')) as { models: Entry[] };
  const kept = models.filter((m) => !m.name.startsWith('generator-'));
  for (const { file } of kept) {
    if (!file) continue;
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    copyFileSync(join(store.dir, file), join(folder, file));
  }
  const sha256 = createHash('sha256').update(readFileSync(path)).digest('hex');
  const foreign = { name: 'generator-128', file: 'foreign.onnx', licence: "the model's own", sha256 };
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify({ models: [...kept, foreign] }));
  return folder;
}
