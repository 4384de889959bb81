import { createHash } from 'node:crypto';
import { createReadStream, writeFileSync } from 'node:fs';
import type { Config } from '../config/loader.ts';
import { ExitCode, UnderstudyError } from '../core/errors.ts';
import { ModelStore } from '../infer/model-store.ts';
import type { FileOutcome } from './anonymize-file.ts';

async function sha256(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

/** What was done to one file: numbers and hashes only. */
export async function fileReport(input: string, output: string, { result, probe }: FileOutcome): Promise<object> {
  return {
    input: { path: input, sha256: await sha256(input), ...probe },
    output: { path: output, sha256: await sha256(output) },
    complete: !result.early,
    totals: { ...result.audit.totals, decodeErrors: result.decodeErrors },
    faceTracks: result.audit.faceTracks,
    firstFrameMs: result.firstFrameMs,
    stages: result.timings.summary(),
  };
}

/** SHA-256 of the models that a run loaded, from the store that it loaded them from. */
export function modelHashes(config: Config, names: readonly string[]): Record<string, string> {
  const { dir, cacheDir } = config.models;
  return ModelStore.open({ ...(dir && { dir }), ...(cacheDir && { cacheDir }) }).hashes(names);
}

/**
 * What holds for all files of a run. The session key is left out, with which the understudies could be drawn again, and so is `serve` of a
 * settings file that is shared with the relay: tokens, passwords of cameras and of TURN servers.
 */
export function runReport(config: Config, models: Readonly<Record<string, string>>): object {
  const { sessionKey: _1, serve: _2, ...settings } = config;
  return { settings, models };
}

/** @throws UnderstudyError(output) */
export function writeReport(path: string, report: object): void {
  try {
    writeFileSync(path, `${JSON.stringify(report, null, 2)}\n`);
  } catch (cause) {
    throw new UnderstudyError(
      ExitCode.output,
      `the report ${path} could not be written (${(cause as Error).message})`,
      'check its folder; what it reports on is complete',
      { cause },
    );
  }
}
