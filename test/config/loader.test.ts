import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { knownKeys, loadConfig } from '../../src/config/loader.ts';

const load = (sets: string[], env: Record<string, string> = {}, file?: string) =>
  loadConfig({ sets, env, ...(file && { file }) });

describe('configuration', () => {
  it('documents every key, with the default that is in force', () => {
    const text = readFileSync('configs/default.yaml', 'utf8');
    expect(load([], {}, 'configs/default.yaml')).toEqual(load([]));
    for (const key of knownKeys()) expect(text, key).toMatch(new RegExp(`^ *${key.split('.').at(-1)}:.*#`, 'm'));
  });

  it('lets --set win over the environment and the environment over the file', () => {
    const file = join(mkdtempSync(join(tmpdir(), 'understudy-config-')), 'c.yaml');
    writeFileSync(file, 'egress:\n  crf: 30\n  codec: vp9\nmode: blur\n');
    const config = load(['egress.crf=18'], { UNDERSTUDY_EGRESS__CRF: '25', UNDERSTUDY_EGRESS__CODEC: 'h265' }, file);
    expect(config.egress).toMatchObject({ crf: 18, codec: 'h265' });
    expect(config.mode).toBe('blur');
  });

  it('refuses an unknown key and names the nearest', () => {
    expect(() => load(['track.lookaheadFrame=3'])).toThrow('there is no setting track.lookaheadFrame');
    try {
      load(['track.lookaheadFrame=3']);
    } catch (error) {
      expect((error as { remedy: string }).remedy).toContain('track.lookaheadFrames');
    }
  });

  it('refuses wrong types and ranges, files that are missing or no YAML', () => {
    expect(() => load(['egress.crf=fast'])).toThrow(/egress\.crf/);
    expect(() => load(['post.sigmaInterocular=0.1'])).toThrow(/post\.sigmaInterocular/);
    expect(() => load(['mode'])).toThrow(/has no value/);
    expect(() => load([], {}, '/nowhere.yaml')).toThrow(/cannot be read/);
    const bad = join(mkdtempSync(join(tmpdir(), 'understudy-config-')), 'bad.yaml');
    writeFileSync(bad, 'a: [1,\nb');
    expect(() => load([], {}, bad)).toThrow(/is not YAML/);
  });
});
