import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openOthers } from '../../src/cli/stream-runner.ts';
import { liveSchema, streamSchema } from '../../src/config/live-schema.ts';
import { planeLayout } from '../../src/core/video-frame.ts';
import { ReopenedSink } from '../../src/egress/reopened-sink.ts';
import type { Sink } from '../../src/egress/sink.ts';
import { Compositor } from '../../src/gpu-post/compositor.ts';
import { eventually } from '../live/support.ts';

const format = { width: 64, height: 48, colour: { matrix: 'bt601', range: 'limited' } } as const;

describe('an output that is not there yet', () => {
  const folder = mkdtempSync(join(tmpdir(), 'understudy-reopened-'));
  let compositor: Compositor;
  let frames = 0;

  beforeAll(async () => {
    compositor = await Compositor.start({
      ...{ faceMemory: new SharedArrayBuffer(4), faceSize: 128, mode: 'mask', photometry: {} as never },
    });
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const frame = (release = () => {}) => {
    const memory = new SharedArrayBuffer(planeLayout(64, 48).byteLength);
    const at = { sequence: frames, timestampUs: 40_000 * frames++, format };
    return compositor.veil(at, { index: 0, memory, release });
  };

  it('costs the stream nothing, and is recorded to once its disk is there', async () => {
    writeFileSync(join(folder, 'disk'), 'not mounted');
    const settings = streamSchema.parse({ outputs: ['v4l2:/dev/none'], recordTo: join(folder, 'disk', 'cam') });
    const told: string[] = [];
    const options = { live: liveSchema.parse({}), keepAudio: false, onWarning: () => {} };
    const sinks = await openOthers('cam', settings, undefined, options, (error) => told.push((error as Error).message));
    expect(sinks).toHaveLength(2);
    expect(told).toContain(`the recording folder ${join(folder, 'disk', 'cam')} is not writable`);
    expect(told.join()).toContain('virtual camera');
    const [camera, recording] = sinks as [Sink, Sink];
    let closed = 0;
    for (const sink of sinks) await sink.write(frame(() => closed++));
    expect([closed, camera.dropped, recording.dropped, recording.delivered]).toEqual([2, 1, 1, false]);
    rmSync(join(folder, 'disk'));
    const recorded = async () => {
      await recording.write(frame());
      return recording.delivered === true;
    };
    await eventually(recorded, 60_000, 'a recorded frame');
    await Promise.all(sinks.map((sink) => sink.finish()));
  });

  it('is opened no more once the stream has ended, and closed when it was being opened just then', async () => {
    let opened: (sink: Sink) => void = () => {};
    const ends: string[] = [];
    const late: Sink = {
      write: async () => {},
      finish: async () => void ends.push('finished'),
      abort: async () => void ends.push('aborted'),
    };
    let attempts = 0;
    const failing = () => {
      attempts++;
      return Promise.reject(new Error('unknown host'));
    };
    const never = await ReopenedSink.open(failing, () => {}, 20);
    await eventually(async () => attempts > 2, 20_000, 'attempts');
    await never.finish();
    const before = attempts;
    const opening = await ReopenedSink.open(
      () => (++attempts === before + 1 ? failing() : new Promise((resolve) => (opened = resolve))),
      () => {},
      20,
    );
    await eventually(async () => attempts === before + 3, 20_000, 'another attempt');
    const finished = opening.finish();
    opened(late);
    await finished;
    expect(ends).toEqual(['finished']);
    expect(attempts).toBe(before + 3);
  });
});
