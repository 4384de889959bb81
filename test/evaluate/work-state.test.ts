import { mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { furtherKey, keyMark, streamNumbers, workKey } from '../../src/cli/work-state.ts';
import type { InputFile } from '../../src/evaluate/pairs.ts';

const folder = () => mkdtempSync(join(tmpdir(), 'understudy-work-'));

describe('the key of a work folder', () => {
  it('is drawn once, kept where only its owner reads it, and another one in another folder', () => {
    const work = folder();
    const key = workKey(work, '');
    expect(key).toMatch(/^[0-9a-f]{64}$/);
    expect(workKey(work, undefined)).toBe(key);
    expect(statSync(join(work, '.session-key')).mode & 0o777).toBe(0o600);
    expect(workKey(folder(), '')).not.toBe(key);
  });

  it('is the configured one where there is one, which is written nowhere', () => {
    const work = folder();
    expect(workKey(work, 'ab'.repeat(16))).toBe('ab'.repeat(16));
    expect(() => statSync(join(work, '.session-key'))).toThrow();
  });

  it('says so when what is kept is no key', () => {
    const work = folder();
    writeFileSync(join(work, '.session-key'), 'spoilt');
    expect(() => workKey(work, '')).toThrow(/\.session-key holds no session key/);
  });

  it('gives further keys, the same each time, and marks that tell keys apart without being them', () => {
    const key = workKey(folder(), '');
    const keys = [1, 2, 3].map((n) => furtherKey(key, n));
    expect(keys[0]).toBe(key);
    expect(new Set(keys).size).toBe(3);
    expect(furtherKey(key, 2)).toBe(keys[1]);
    expect(new Set(keys.map(keyMark)).size).toBe(3);
    expect(keyMark(key.toUpperCase())).toBe(keyMark(key));
    expect(key).not.toContain(keyMark(key));
  });
});

describe('the numbers of streams', () => {
  const file = (name: string, kind: InputFile['kind'] = 'picture'): InputFile => ({ name, path: name, kind });

  it('stay with their files when others come in between', () => {
    const work = folder();
    const [b, d] = [file('b'), file('d')];
    expect([...streamNumbers(work, [b, d]).values()]).toEqual([0, 1]);
    const [a, again, clip] = [file('a'), file('b'), file('b', 'video')];
    const later = streamNumbers(work, [a, again, clip]);
    expect([a, again, clip].map((f) => later.get(f))).toEqual([2, 0, 3]);
    expect(JSON.parse(readFileSync(join(work, '.streams.json'), 'utf8'))).toHaveLength(4);
  });
});
