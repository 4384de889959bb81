import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, statSync, utimesSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FramePool } from '../../src/core/frame-pool.ts';
import { type FrameInfo, planeLayout, type RawFrame, SealedFrame } from '../../src/core/video-frame.ts';

let door: ReturnType<typeof SealedFrame.takeDoor> | undefined;

/** What the compositor does in these tests: a flat picture of the frame's size whose brightness the caller chooses. */
export function sealFlat(info: FrameInfo, pool: FramePool, luma: number): SealedFrame | undefined {
  door ??= SealedFrame.takeDoor();
  const slot = pool.tryAcquire();
  if (!slot) return undefined;
  const layout = planeLayout(info.format.width, info.format.height);
  const planes = new Uint8Array(slot.memory, 0, layout.byteLength);
  planes.fill(luma, 0, layout.cbOffset);
  planes.fill(128, layout.cbOffset);
  return door({ sequence: info.sequence, timestampUs: info.timestampUs, format: info.format }, slot, 'veiled');
}

/** Seals a copy of the picture: stands in for the compositor where the tests look at what arrives. */
export function sealCopy(raw: RawFrame, pool: FramePool): SealedFrame | undefined {
  door ??= SealedFrame.takeDoor();
  const slot = pool.tryAcquire();
  if (!slot) return undefined;
  new Uint8Array(slot.memory).set(new Uint8Array(raw.slot.memory).subarray(0, slot.memory.byteLength));
  return door(raw, slot, 'composed');
}

export function poolFor(format: { width: number; height: number }, capacity = 4): FramePool {
  return new FramePool(planeLayout(format.width, format.height).byteLength, capacity);
}

export function temporaryFolder(): string {
  return mkdtempSync(join(tmpdir(), 'understudy-live-'));
}

/**
 * A port that nobody listens at. Whoever asked for it takes a second until he does, and the tests of another process, which run beside, must not be
 * given the same one meanwhile: they would talk to his server.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = await unusedPort();
    if (reserve(port)) return port;
  }
}

function unusedPort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject).listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}

/** @returns false when the port was given to somebody within the last hour */
function reserve(port: number): boolean {
  const mark = join(tmpdir(), 'understudy-test-ports', String(port));
  mkdirSync(dirname(mark), { recursive: true });
  try {
    mkdirSync(mark);
  } catch (error) {
    // Where another user has run the tests, their own marks are all that is missing.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') return true;
    if (Date.now() - statSync(mark).mtimeMs < 3_600_000) return false;
    utimesSync(mark, new Date(), new Date());
  }
  return true;
}

export function has(command: string, ...args: string[]): boolean {
  try {
    execFileSync(command, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

export function makeClip(path: string, seconds: number, size = '320x240', rate = 25): void {
  execFileSync('ffmpeg', [
    ...['-v', 'error', '-y', '-f', 'lavfi', '-i', `testsrc2=s=${size}:r=${rate}:d=${seconds}`],
    ...['-c:v', 'libx264', '-preset', 'ultrafast', '-g', String(rate), '-bf', '0', '-pix_fmt', 'yuv420p', path],
  ]);
}

/**
 * @param sound codec of the clip's sound, when that is served and recorded too: alaw, mulaw, aac or opus
 * @param more further streams as `/path=launch line`
 */
export function startRtspServer(
  port: number,
  clip: string,
  record = '-',
  digest = false,
  sound?: string,
  more: readonly string[] = [],
): Promise<ChildProcess> {
  const script = fileURLToPath(new URL('./rtsp-server.py', import.meta.url));
  const options = [...(digest ? ['digest'] : []), ...(sound ? [sound, `record-${sound}`] : [])];
  const child = spawn('/usr/bin/python3', [script, String(port), clip, record, ...options, ...more], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return new Promise((resolve, reject) => {
    child.stdout?.once('data', () => resolve(child));
    child.once('exit', (code) => reject(new Error(`the RTSP server ended with ${code}`)));
  });
}

export function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => child.once('exit', () => resolve()));
}

export async function until(condition: () => boolean, timeoutMs: number, what: string): Promise<void> {
  const giveUpAt = performance.now() + timeoutMs;
  while (!condition()) {
    if (performance.now() > giveUpAt) throw new Error(`waited ${timeoutMs} ms in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** As `until`, for a condition that has to be asked for. */
export async function eventually(condition: () => Promise<boolean>, timeoutMs: number, what: string): Promise<void> {
  const giveUpAt = performance.now() + timeoutMs;
  while (!(await condition())) {
    if (performance.now() > giveUpAt) throw new Error(`waited ${timeoutMs} ms in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
