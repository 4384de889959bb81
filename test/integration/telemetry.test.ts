import { mkdtempSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { makeClip } from '../support/clips.ts';
import { scratch, understudy } from '../support/command.ts';

it('leaves no identifier and no store of usage data behind, which ONNX Runtime would send to its maker', () => {
  const { at } = scratch('telemetry');
  makeClip(at('clip.mp4'), 0.3);
  const home = mkdtempSync(join(tmpdir(), 'understudy-home-'));
  const env = { HOME: home, XDG_CACHE_HOME: undefined, XDG_DATA_HOME: undefined, XDG_CONFIG_HOME: undefined };
  for (const args of [['run', at('clip.mp4'), at('out.mp4')], ['doctor']]) {
    const { stderr } = understudy(args, env);
    expect(stderr).not.toMatch(/telemetry/i);
    const left = readdirSync(home, { recursive: true, encoding: 'utf8' });
    expect(left.filter((name) => /onnx|microsoft/i.test(name))).toEqual([]);
  }
});
