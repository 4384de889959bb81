import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Observable } from 'rxjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { findFfmpeg } from '../../src/core/ffmpeg.ts';
import type { RawFrame } from '../../src/core/video-frame.ts';
import { openFileSource } from '../../src/ingest/file/file-source.ts';
import { spawnLiveDecoder } from '../../src/ingest/live/decoder-arguments.ts';
import { LiveSource } from '../../src/ingest/live/live-source.ts';
import { openPacedFileSource } from '../../src/ingest/live/paced-file-source.ts';

const folder = mkdtempSync(join(tmpdir(), 'understudy-size-'));
const clip = join(folder, 'turned.ts');
const odd = join(folder, 'odd.mkv');
const [FIRST, SECOND] = [200, 120];

/** Upright pictures of one gray, then, in the same stream, lying ones of another. */
beforeAll(() => {
  for (const [i, size, luma] of [
    [0, '240x320', FIRST],
    [1, '320x240', SECOND],
  ] as const) {
    const colour = `color=gray:s=${size}:r=10:d=2,format=yuv420p,geq=lum=${luma}:cb=128:cr=128`;
    const part = join(folder, `${i}.h264`);
    const coding = ['-c:v', 'libx264', '-g', '10', '-bf', '0'];
    execFileSync('ffmpeg', ['-v', 'error', '-y', '-f', 'lavfi', '-i', colour, ...coding, part]);
    appendFileSync(join(folder, 'both.h264'), readFileSync(part));
  }
  // Two transport streams one after the other would look as if packets were lost between them.
  const both = ['-framerate', '10', '-i', join(folder, 'both.h264'), '-c', 'copy', clip];
  execFileSync('ffmpeg', ['-v', 'error', '-y', ...both]);
  const colour = `color=gray:s=120x78:r=10:d=0.5,format=yuv420p,geq=lum=${FIRST}:cb=128:cr=128,crop=119:77:0:0:exact=1`;
  execFileSync('ffmpeg', ['-v', 'error', '-y', '-f', 'lavfi', '-i', colour, '-c:v', 'ffv1', odd]);
});

interface Seen {
  readonly corner: number;
  readonly middle: number;
  readonly damaged: boolean;
}

function look(frames: Observable<RawFrame>, enough: (seen: Seen[]) => boolean): Promise<Seen[]> {
  return new Promise((resolve, reject) => {
    const seen: Seen[] = [];
    const subscription = frames.subscribe({
      next: (frame) => {
        const { width, height } = frame.format;
        const luma = new Uint8Array(frame.slot.memory);
        const at = (x: number, y: number) => luma[y * width + x]!;
        // The pipeline decides later, when what the decoder says of a picture has been heard.
        setTimeout(() => {
          seen.push({ corner: at(4, 4), middle: at(width >> 1, height >> 1), damaged: frame.damaged });
          frame.close();
          if (!enough(seen)) return;
          subscription.unsubscribe();
          resolve(seen);
        }, 20);
      },
      error: reject,
      complete: () => setTimeout(() => resolve(seen), 100),
    });
  });
}

/** The second pictures are lower than the first: squeezed into them they would have no bars. */
function expectNoneSqueezed(seen: readonly Seen[]): void {
  const shown = seen.filter((s) => !s.damaged);
  for (const { corner, middle } of shown) {
    if (Math.abs(middle - FIRST) < 12) expect(corner).toBeCloseTo(FIRST, -2);
    else {
      expect(Math.abs(middle - SECOND)).toBeLessThan(12);
      expect(corner).toBeLessThan(40);
    }
  }
  expect(shown.some((s) => Math.abs(s.middle - FIRST) < 12)).toBe(true);
  expect(shown.some((s) => Math.abs(s.middle - SECOND) < 12)).toBe(true);
}

describe('pictures of another size in the same stream', () => {
  it('get bars in a file, and keep their shape', async () => {
    const source = await openFileSource(clip, { poolFrames: 40, damageLookback: 1 });
    const seen = await look(source.frames, () => false);
    await source.close();
    expect(seen.length).toBe(40);
    expectNoneSqueezed(seen);
    expect(seen.every((s) => !s.damaged)).toBe(true);
  });

  it('are never shown squeezed by a camera: damaged until it has been opened again, then with bars', async () => {
    const tool = await findFfmpeg();
    const input = { from: `file:${clip}`, options: ['-re'] };
    const warnings: string[] = [];
    let opened = 0;
    const source = await LiveSource.open(
      (canvas, audio, onLine) => {
        // A camera goes on where it is.
        const from = opened++ === 0 ? input : { ...input, options: ['-re', '-ss', '2.2'] };
        return spawnLiveDecoder(tool, from, canvas, audio, onLine);
      },
      {
        ...{ inFlight: 4, keepAudio: false, onSourceLost: 'stop', stallMs: 10_000, openMs: 15_000 },
        onWarning: (sentence) => warnings.push(sentence),
      },
      (log) => new Error(log) as never,
    );
    const barred = (s: Seen) => !s.damaged && Math.abs(s.middle - SECOND) < 12;
    const seen = await look(source.frames, (all) => all.filter(barred).length >= 5);
    await source.close();
    expectNoneSqueezed(seen);
    expect(warnings[0]).toMatch(/changed the size of its pictures/);
    expect(source.reconnects).toBe(1);
  });

  it('whose pixels are far from square are made square, live as in a file', async () => {
    const squeezed = join(folder, 'squeezed.mkv');
    const colour = 'color=gray:s=176x288:r=10:d=8,setsar=24/11';
    execFileSync('ffmpeg', ['-v', 'error', '-y', '-f', 'lavfi', '-i', colour, '-c:v', 'libx264', squeezed]);
    const tool = await findFfmpeg();
    const input = { from: `file:${squeezed}`, options: ['-re'] };
    const live = () =>
      LiveSource.open(
        (canvas, audio, onLine) => spawnLiveDecoder(tool, input, canvas, audio, onLine),
        { inFlight: 4, keepAudio: false, onSourceLost: 'complete', stallMs: 10_000, openMs: 15_000 },
        (log) => new Error(log) as never,
      );
    const paced = () => openPacedFileSource(squeezed, { loop: false });
    const file = () => openFileSource(squeezed, { poolFrames: 8, damageLookback: 1 });
    for (const open of [live, paced, file]) {
      const source = await open();
      expect(source.info.format).toMatchObject({ width: 384, height: 288 });
      expect((await look(source.frames, (all) => all.length >= 3)).filter((s) => !s.damaged).length).toBeGreaterThan(0);
      await source.close();
    }
  });

  it('of odd sizes pass as they are', async () => {
    const source = await openFileSource(odd, { poolFrames: 8, damageLookback: 1 });
    expect(source.info.format).toMatchObject({ width: 119, height: 77 });
    const seen = await look(source.frames, () => false);
    await source.close();
    expect(seen.length).toBe(5);
    for (const { corner, middle } of seen) expect([corner, middle]).toEqual([FIRST, FIRST]);
  });
});
