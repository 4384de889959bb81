import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { deliveredFps, type LiveFigures, latencies, liveTable, slope } from '../../src/cli/bench-live-figures.ts';
import { readStamp, STAMP, stampFilter } from '../../src/cli/frame-stamp.ts';
import { chromiumPath } from './browser.ts';
import { has, temporaryFolder } from './support.ts';

const run = promisify(execFile);

describe('the figures of bench live', () => {
  it('reads every frame’s number back after coding at a low bit rate, and none from a veiled frame', async () => {
    const path = join(temporaryFolder(), 'stamps.mkv');
    const clip = [
      '-f',
      'lavfi',
      '-i',
      'testsrc2=s=640x480:r=30',
      '-frames:v',
      String(STAMP.frames),
      '-vf',
      stampFilter(),
    ];
    await run('ffmpeg', [
      '-v',
      'error',
      '-y',
      ...clip,
      '-c:v',
      'libvpx',
      '-b:v',
      '150k',
      '-deadline',
      'realtime',
      path,
    ]);
    const corner = ['-vf', `crop=${STAMP.widthPx}:${STAMP.heightPx}:0:0,format=gray`, '-f', 'rawvideo', '-'];
    const { stdout } = await run('ffmpeg', ['-v', 'error', '-i', path, '-vsync', '0', ...corner], {
      encoding: 'buffer',
      maxBuffer: 1 << 26,
    });
    const size = STAMP.widthPx * STAMP.heightPx;
    const numbers = Array.from({ length: stdout.length / size }, (_, i) =>
      readStamp(stdout.subarray(i * size, (i + 1) * size), STAMP.widthPx),
    );
    // The encoder may leave frames out; what comes is in order and right.
    expect(numbers.length).toBeGreaterThan(200);
    expect(numbers).not.toContain(-1);
    expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
    expect(readStamp(new Uint8Array(size).fill(128), STAMP.widthPx)).toBe(-1);
  });

  it('compares each frame with the last one of its number, and counts neither repeats nor frames without one', () => {
    const source = Array.from({ length: 600 }, (_, i) => [i % STAMP.frames, i * 33] as const);
    const arrived = source.map(([number, atMs], i) => [i % 10 === 0 ? -1 : number, atMs + 100] as const);
    const found = latencies(source, arrived);
    expect(found).toHaveLength(540);
    expect(new Set(found.map(([ms]) => ms))).toEqual(new Set([100]));
    const twice = arrived.flatMap(([number, atMs]) => [[number, atMs] as const, [number, atMs + 1] as const]);
    expect(deliveredFps(twice, 100, 100 + 300 * 33)).toBeCloseTo((270 * 1000) / (300 * 33), 6);
    expect(
      slope([
        [0, 1],
        [1, 3],
        [2, 5],
      ]),
    ).toBeCloseTo(2, 9);
    expect(slope([[1, 1]])).toBe(0);
  });

  it('says beside each figure whether the goal was met', () => {
    const webrtc = { fps: 29, addedLatencyMs: { p50: 100, p95: 120 }, slopeMsPerMinute: 0.2 };
    const table = liveTable(
      { machine: 'one', webrtc, rtsp: { fps: 20, addedLatencyMs: 150 }, soak: null, room: null },
      ['a note'],
    );
    expect(table).toMatch(/29\.0 +≥ 28 of 30: met/);
    expect(table).toMatch(/100 ms +≤ 90 ms: missed/);
    expect(table).toMatch(/20\.0 +≥ 26 of 30: missed/);
    expect(table).toContain('a note');
  });
});

describe('bench live', { timeout: 300_000 }, () => {
  const bench = (...args: string[]) => run(process.execPath, ['dist/main.js', 'bench', 'live', ...args]);

  it('refuses in one sentence what it does not know', async () => {
    const refused = (args: string[]) =>
      bench(...args).then(
        () => 'ran',
        (error: { code: number; stderr: string }) => `${error.code} ${error.stderr.trim()}`,
      );
    expect(await refused(['--minutes', 'no'])).toMatch(/^2 understudy: --minutes is too short: no; .*$/);
    expect(await refused(['--only', 'udp'])).toMatch(
      /^2 understudy: there is no part udp; give --only webrtc, rtsp, room$/,
    );
  });

  it.skipIf(!chromiumPath || !has('ffmpeg', '-version'))(
    'delivers frames to a browser for two minutes and holds neither more handles nor frames at the end (needs chromium)',
    async () => {
      const json = join(temporaryFolder(), 'live.json');
      const { stdout } = await bench('--minutes', '2', '--only', 'webrtc', '--json', json);
      expect(stdout).toContain('WebRTC, frames a second');
      const figures = JSON.parse(readFileSync(json, 'utf8')) as LiveFigures;
      expect(Object.keys(figures)).toEqual(['machine', 'webrtc', 'rtsp', 'soak', 'room']);
      expect(figures).toMatchObject({ machine: expect.stringMatching(/GB$/), rtsp: null });
      const { webrtc, soak } = figures;
      expect(webrtc!.fps).toBeGreaterThan(2);
      expect(webrtc!.addedLatencyMs.p50).toBeGreaterThan(0);
      expect(webrtc!.addedLatencyMs.p95).toBeGreaterThanOrEqual(webrtc!.addedLatencyMs.p50);
      expect(Number.isFinite(webrtc!.slopeMsPerMinute)).toBe(true);
      expect(soak).toMatchObject({ minutes: 2, rssSlopeMbPerHour: expect.any(Number) });
      // After a third of the two minutes. The heap still grows to its size: by 33 and 54 MB in two quiet runs, by 70 on a busy machine; two
      // lost frames a second, raw or sealed, come on top of that.
      const lookedH = (2 / 60) * (2 / 3);
      expect(soak!.rssSlopeMbPerHour * lookedH).toBeLessThan(90);
      // Medians of several looks: an encoder that is being exchanged does not count, one that stays has more than this.
      expect(soak!.handles).toBeLessThanOrEqual(3);
    },
  );
});
