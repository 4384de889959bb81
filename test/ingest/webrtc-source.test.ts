import { type SpawnOptions, spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { packetizeVp8 } from '../../src/core/rtp-vp8.ts';
import { WebRtcSource } from '../../src/ingest/webrtc/webrtc-source.ts';

vi.mock('node:child_process', async (original) => {
  const all = await original<typeof import('node:child_process')>();
  return { ...all, spawn: vi.fn((path: string, args: string[], how: SpawnOptions) => all.spawn(path, args, how)) };
});

/** A key picture's header (RFC 6386, section 9.1); what would follow is nothing to those who only start a decoder. */
const keyPicture = (width: number, height: number) =>
  Uint8Array.of(0x10, 0, 0, 0x9d, 0x01, 0x2a, width & 255, width >> 8, height & 255, height >> 8, 0);

describe('a WebRTC publisher who sends what no camera sends', () => {
  const folder = mkdtempSync(join(tmpdir(), 'understudy-webrtc-'));
  const ffmpegPath = join(folder, 'ffmpeg');
  const started = vi.mocked(spawn);
  const told: string[] = [];
  let source: WebRtcSource;
  let sequence = 0;

  beforeAll(() => {
    // ffmpeg as ever, but its decoders only take what comes.
    const asked = 'case " $* " in *" -encoders "*|*" -version "*) exec ffmpeg "$@";; esac';
    writeFileSync(ffmpegPath, `#!/bin/sh\n${asked}\nexec cat > /dev/null\n`);
    chmodSync(ffmpegPath, 0o755);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const open = async () => {
    const onWarning = (sentence: string) => void told.push(sentence);
    source = await WebRtcSource.create({ codec: 'vp8', inFlight: 3, requestKey: () => {}, ffmpegPath, onWarning });
    started.mockClear();
  };
  const send = (width: number, height: number) => {
    for (const payload of packetizeVp8(keyPicture(width, height), sequence & 0x7fff))
      source.push({ payload, sequenceNumber: sequence++, timestamp: 3000 * sequence, marker: true });
  };

  it('takes no memory for a picture of 16383 × 16383, and says why none is shown', async () => {
    await open();
    for (let i = 0; i < 3; i++) send(16_383, 16_383);
    expect(() => source.info).toThrow(/no picture has arrived/);
    expect(told).toEqual(['the publisher’s pictures are too large (16383x16383): none is shown']);
    expect(started).not.toHaveBeenCalled();
    await source.close();
  });

  it('starts no decoder for each of his pictures when every one has another size', async () => {
    await open();
    const before = performance.now();
    for (let i = 0; i < 40; i++) send(64 + 16 * (i & 1), 64);
    const halfSeconds = Math.ceil((performance.now() - before) / 500);
    expect(source.info.format).toMatchObject({ width: 64, height: 64 });
    expect(started.mock.calls.length).toBeGreaterThan(0);
    expect(started.mock.calls.length).toBeLessThanOrEqual(1 + halfSeconds);
    await source.close();
  });
});
