import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { z } from 'zod';
import { ExitCode, UnderstudyError } from '../core/errors.ts';

const name = z.string().regex(/^[A-Za-z0-9][\w.-]{0,63}$/, 'letters, digits, dot, dash and underscore');

/** The file given to `serve --streams`. Tokens are read from a file because a command line is seen by every user. */
const schema = z.strictObject({
  streams: z.record(
    name,
    z.strictObject({
      publishToken: z.string().min(1).optional(),
      viewToken: z.string().min(1).optional(),
      /** rtsp://… or device:…: feeds the stream instead of a WHIP publisher. */
      source: z
        .string()
        .regex(/^(rtsps?:\/\/|device:)/, 'an rtsp://, rtsps:// or device: address')
        .optional(),
    }),
  ),
  iceServers: z
    .array(z.strictObject({ urls: z.string(), username: z.string().optional(), credential: z.string().optional() }))
    .default([]),
});

export type StreamTable = z.infer<typeof schema>;

/** @throws UnderstudyError(usage) naming the key that is wrong */
export function readStreamTable(file: string | undefined, names: readonly string[]): StreamTable {
  const wrong = (message: string, remedy: string) => new UnderstudyError(ExitCode.usage, message, remedy);
  if (!file) {
    const table = schema.safeParse({ streams: Object.fromEntries(names.map((n) => [n, {}])) });
    if (table.success) return table.data;
    throw wrong('the name of a stream is wrong', 'use letters, digits, dot, dash and underscore');
  }
  let content: unknown;
  try {
    content = parse(readFileSync(file, 'utf8'));
  } catch {
    throw wrong(`the stream table ${file} cannot be read as YAML`, 'check the name given to --streams');
  }
  const table = schema.safeParse(content);
  if (table.success) return table.data;
  const issue = table.error.issues[0]!;
  throw wrong(`${file}: ${issue.path.join('.') || 'the file'} is wrong (${issue.message})`, 'see docs/live.md');
}
