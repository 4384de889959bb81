import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FfmpegTool, spawnFfmpeg } from '../../src/core/ffmpeg.ts';
import { planeLayout, type SealedFrame } from '../../src/core/video-frame.ts';
import { LiveSink } from '../../src/egress/live/live-sink.ts';
import { CodedEncoder } from '../../src/egress/webrtc/coded-encoder.ts';
import { Compositor } from '../../src/gpu-post/compositor.ts';

const format = { width: 16, height: 16, colour: { matrix: 'bt601', range: 'limited' } } as const;
/** Twenty minutes of a camera. */
const FRAMES = 30_000;
/** Bytes a frame; 30 a second of 50 bytes are 130 MB a day. */
const MAX_KEPT = 50;

describe('a stream that goes on for weeks', () => {
  const folder = mkdtempSync(join(tmpdir(), 'understudy-endless-'));
  const path = join(folder, 'encoder');
  const tool: FfmpegTool = { path, version: '5', encoders: new Set(), probePath: undefined, modern: true };
  let compositor: Compositor;

  beforeAll(async () => {
    writeFileSync(path, '#!/bin/sh\nexec cat > /dev/null\n');
    chmodSync(path, 0o755);
    compositor = await Compositor.start({
      ...{ faceMemory: new SharedArrayBuffer(4), faceSize: 128, mode: 'mask', photometry: {} as never },
    });
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const heap = () => {
    setFlagsFromString('--expose-gc');
    (runInNewContext('gc') as () => void)();
    return process.memoryUsage().heapUsed;
  };
  const kept = async (write: (frame: SealedFrame) => Promise<unknown>) => {
    const memory = new SharedArrayBuffer(planeLayout(16, 16).byteLength);
    const slot = { index: 0, memory, release: () => {} };
    const some = async (from: number, count: number) => {
      for (let i = from; i < from + count; i++)
        await write(compositor.veil({ sequence: i, timestampUs: 40_000 * i, format }, slot));
    };
    await some(0, 1000);
    const before = heap();
    await some(1000, FRAMES);
    return (heap() - before) / FRAMES;
  };

  it('keeps nothing of each frame that a live output has sent', async () => {
    const sink = new LiveSink(() => spawnFfmpeg(tool, []), { stallMs: 60_000 });
    expect(await kept((frame) => sink.write(frame))).toBeLessThan(MAX_KEPT);
    expect(sink.written).toBeGreaterThan(FRAMES);
    await sink.abort();
  });

  it('keeps nothing of each frame that was encoded for viewers', async () => {
    const encoder = new CodedEncoder(tool, 'vp8', format, 500, { onPicture: () => {}, onEnd: () => {} });
    expect(await kept((frame) => encoder.encode(frame))).toBeLessThan(MAX_KEPT);
    await encoder.close();
  });
});
