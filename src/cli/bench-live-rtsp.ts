import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { ExitCode, UnderstudyError } from '../core/errors.ts';
import { findFfmpeg } from '../core/ffmpeg.ts';
import { quantile } from '../evaluate/metrics/statistics.ts';
import { makeRtspClip } from './bench-live-clips.ts';
import { deliveredFps, latencies, percentiles, type Sighting } from './bench-live-figures.ts';
import { freePort, startCommand, stopCommand } from './bench-live-serve.ts';
import { readStamp, STAMP } from './frame-stamp.ts';

/** The tests' server; the bench runs from a checkout too. */
const SERVER = fileURLToPath(new URL('../../test/live/rtsp-server.py', import.meta.url));
const WARM_UP_S = 10;
/** Longest that starting takes before the warm-up begins. */
const START_S = 20;

export interface RtspResult {
  readonly rtsp: { readonly fps: number; readonly addedLatencyMs: number };
  readonly notes: string[];
}

/** A 720p camera to another stream, both RTSP; the camera is read directly beside it, and the same frames' times compared. */
export async function benchRtsp(
  minutes: number,
  folder: string,
  settings: readonly string[],
  tell: (sentence: string) => void,
): Promise<RtspResult> {
  await promisify(execFile)('/usr/bin/python3', ['-c', 'import gi; gi.require_version("GstRtspServer", "1.0")']).catch(
    () => {
      throw new UnderstudyError(
        ExitCode.tool,
        "GStreamer's RTSP server was not found",
        'install the Debian packages gir1.2-gst-rtsp-server-1.0, python3-gi and gstreamer1.0-plugins-good, or leave it out with --only webrtc',
      );
    },
  );
  if (!existsSync(SERVER)) {
    throw new UnderstudyError(ExitCode.tool, `${SERVER} does not exist`, 'run bench live from a checkout');
  }
  const clip = join(folder, 'bench-live.mkv');
  await makeRtspClip(clip, START_S + WARM_UP_S + minutes * 60);
  const [cameraPort, outPort] = [await freePort(), await freePort()];
  const camera = `rtsp://127.0.0.1:${cameraPort}/cam`;
  const out = `rtsp://127.0.0.1:${outPort}/anon`;
  const server = await startServer(cameraPort, clip);
  const started: ChildProcess[] = [];
  try {
    const arrived = await readNumbers(out, ['-rtsp_flags', 'listen']);
    started.push(arrived.child);
    const run = startCommand(['run', camera, out, '--progress', 'none', ...settings]);
    started.unshift(run);
    run.stderr!.on('data', (text) => process.stderr.write(`run: ${text}`));
    await until(() => arrived.seen.length > 0 || run.exitCode !== null, START_S * 1000);
    if (arrived.seen.length === 0) {
      throw new UnderstudyError(ExitCode.internal, 'understudy run sent no picture', 'try it by itself');
    }
    const direct = await readNumbers(camera, ['-rtsp_transport', 'tcp']);
    started.push(direct.child);
    tell(`${minutes} min of RTSP through understudy run`);
    await pause(WARM_UP_S);
    const fromMs = performance.now();
    await pause(minutes * 60);
    const toMs = performance.now();
    const added = latencies(direct.seen, arrived.seen).filter(([, atMs]) => atMs >= fromMs);
    const { p50, p95 } = percentiles(added.map(([ms]) => ms));
    const fps = deliveredFps(arrived.seen, fromMs, toMs);
    return {
      rtsp: { fps, addedLatencyMs: p50 },
      notes: [
        `RTSP: p95 ${p95.toFixed(0)} ms; the camera gave ${deliveredFps(direct.seen, fromMs, toMs).toFixed(1)} frames a second`,
        `longest pause between two frames: ${longestPause(arrived.seen, fromMs).toFixed(0)} ms (median ${medianPause(arrived.seen, fromMs).toFixed(0)})`,
      ],
    };
  } finally {
    // The program first: it would complain about the others' end.
    for (const child of started) await stopCommand(child);
    server.kill('SIGKILL');
  }
}

function startServer(port: number, clip: string): Promise<ChildProcess> {
  const child = spawn('/usr/bin/python3', [SERVER, String(port), clip, '-'], { stdio: ['ignore', 'pipe', 'inherit'] });
  return new Promise((resolve, reject) => {
    child.stdout?.once('data', () => resolve(child));
    child.once('exit', () =>
      reject(new UnderstudyError(ExitCode.tool, "GStreamer's RTSP server did not start", 'try it by itself')),
    );
  });
}

/** Decodes a stream as it comes and reads the numbers of its frames. */
async function readNumbers(
  url: string,
  options: readonly string[],
): Promise<{ child: ChildProcess; seen: Sighting[] }> {
  const { path } = await findFfmpeg();
  const quick = [
    '-threads',
    '1',
    '-fflags',
    'nobuffer',
    '-flags',
    'low_delay',
    '-fpsprobesize',
    '0',
    '-probesize',
    '32',
  ];
  const corner = `crop=${STAMP.widthPx}:${STAMP.heightPx}:0:0,format=gray`;
  const output = ['-an', '-vf', corner, '-vsync', '0', '-threads', '1', '-flush_packets', '1', '-f', 'rawvideo', '-'];
  const args = ['-v', 'fatal', '-nostdin', ...quick, ...options, '-i', url, ...output];
  const child = spawn(path, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const seen: Sighting[] = [];
  const frame = new Uint8Array(STAMP.widthPx * STAMP.heightPx);
  let filled = 0;
  child.stdout.on('data', (chunk: Buffer) => {
    for (let at = 0; at < chunk.length; ) {
      const part = chunk.subarray(at, at + frame.length - filled);
      frame.set(part, filled);
      filled += part.length;
      at += part.length;
      if (filled < frame.length) break;
      filled = 0;
      seen.push([readStamp(frame, STAMP.widthPx), performance.now()]);
    }
  });
  return { child, seen };
}

function pauses(seen: readonly Sighting[], fromMs: number): number[] {
  const times = seen.map(([, atMs]) => atMs).filter((atMs) => atMs >= fromMs);
  return times.slice(1).map((atMs, i) => atMs - times[i]!);
}
const longestPause = (seen: readonly Sighting[], fromMs: number) => Math.max(0, ...pauses(seen, fromMs));
const medianPause = (seen: readonly Sighting[], fromMs: number) => quantile(pauses(seen, fromMs), 0.5);

async function until(condition: () => boolean, timeoutMs: number): Promise<void> {
  const giveUpAt = performance.now() + timeoutMs;
  while (!condition() && performance.now() < giveUpAt) await pause(0.05);
}
const pause = (seconds: number) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));
