import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { opened, watchSettled } from '../../src/cli/settings-watch.ts';
import { loadConfig } from '../../src/config/loader.ts';

const dir = mkdtempSync(join(tmpdir(), 'understudy-settings-'));
const file = join(dir, 'serve.yaml');
const whole = `serve:
  streams:
    live: { publishToken: lone, viewToken: ltwo }
    room:
      publishToken: green-apple
      viewToken: red-pear
    door:
      source: rtsp://camera/one
`;
const streamsOf = (text: string) => {
  writeFileSync(file, text);
  return loadConfig({ file, sets: [], env: {} }).serve.streams;
};

it('lets no beginning of a settings file open a stream or take its source', () => {
  const before = streamsOf(whole);
  let valid = 0;
  for (let length = 0; length < whole.length - 1; length++) {
    let after: ReturnType<typeof streamsOf>;
    try {
      after = streamsOf(whole.slice(0, length));
    } catch {
      continue;
    }
    valid++;
    if (opened(before, after)) continue;
    for (const [name, stream] of Object.entries(after)) {
      expect(before[name], `${name} after ${length} bytes`).toBeDefined();
      expect(stream.publishToken).toBe(before[name]!.publishToken);
      expect(stream.viewToken).toBe(before[name]!.viewToken);
      expect(stream.source).toBe(before[name]!.source);
    }
  }
  expect(valid).toBeGreaterThan(10);
});

it('lets new streams and other tokens through, and says what would be lost', () => {
  const before = { a: { publishToken: 'one', source: undefined }, b: {} };
  expect(opened(before, { a: { publishToken: 'two' }, b: { viewToken: 'new' }, c: {} })).toBeUndefined();
  expect(opened(before, { a: { publishToken: 'one' } })).toBeUndefined();
  expect(opened(before, { a: {}, b: {} })).toBe('the stream a would lose its publishToken');
  expect(opened(before, { c: {} })).toBe('no stream of before would be left');
});

it('waits until a file has stood still, and never takes an empty one', async () => {
  const watched = join(dir, 'slow.yaml');
  writeFileSync(watched, 'a');
  const seen: number[] = [];
  const began = performance.now();
  const unwatch = watchSettled(watched, () => seen.push(performance.now() - began));
  const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
  await wait(100);
  writeFileSync(watched, '');
  await wait(2600);
  expect(seen).toEqual([]);
  writeFileSync(watched, 'whole');
  for (let i = 0; i < 100 && seen.length === 0; i++) await wait(100);
  unwatch();
  expect(seen).toHaveLength(1);
});
