import { quantile } from '../evaluate/metrics/statistics.ts';

export interface LiveFigures {
  readonly machine: string;
  readonly webrtc: WebRtcFigures | null;
  readonly rtsp: { readonly fps: number; readonly addedLatencyMs: number } | null;
  readonly soak: {
    readonly minutes: number;
    readonly rssSlopeMbPerHour: number;
    /** Open descriptors and threads of all processes at the end, less those after the warm-up. */
    readonly handles: number;
  } | null;
  readonly room: RoomFigures | null;
}

/** Two browsers in a call, 640×360 at 15 fps each way. */
export interface RoomFigures {
  /** Frames a second that each of the two was shown, and that the other's camera gave. */
  readonly fps: readonly [number, number];
  readonly cameraFps: readonly [number, number];
  /** Pictures and frames that the relay left out, both streams together. */
  readonly drops: number;
}

export interface WebRtcFigures {
  readonly fps: number;
  readonly addedLatencyMs: { readonly p50: number; readonly p95: number };
  readonly slopeMsPerMinute: number;
}

/** A frame number that was read and when, milliseconds; −1: no number could be read. */
export type Sighting = readonly [number: number, atMs: number];

/** The numbers begin again after 256 frames, 8.5 s: a frame that is older than this cannot be told from a later one. */
const MAX_LATENCY_MS = 8000;

/** For each frame that arrived, for how long after it was seen at the source. Both lists in order of time. */
export function latencies(source: readonly Sighting[], arrived: readonly Sighting[]): Sighting[] {
  const latest = new Map<number, number>();
  const out: Sighting[] = [];
  let i = 0;
  for (const [number, atMs] of arrived) {
    for (; i < source.length && source[i]![1] <= atMs; i++) latest.set(source[i]![0], source[i]![1]);
    const from = latest.get(number);
    if (number >= 0 && from !== undefined && atMs - from < MAX_LATENCY_MS) out.push([atMs - from, atMs]);
  }
  return out;
}

/** Frames a second with a number of their own: veiled frames and repeats do not count. */
export function deliveredFps(arrived: readonly Sighting[], fromMs: number, toMs: number): number {
  const inside = arrived.filter(([, atMs]) => atMs >= fromMs && atMs < toMs);
  const fresh = inside.filter(([number], i) => number >= 0 && number !== inside[i - 1]?.[0]);
  return (fresh.length * 1000) / (toMs - fromMs);
}

/** Slope of the least-squares line; 0 for fewer than two points. */
export function slope(points: readonly (readonly [x: number, y: number])[]): number {
  const n = points.length;
  if (n < 2) return 0;
  const mx = points.reduce((sum, [x]) => sum + x, 0) / n;
  const my = points.reduce((sum, [, y]) => sum + y, 0) / n;
  const spread = points.reduce((sum, [x]) => sum + (x - mx) ** 2, 0);
  return spread === 0 ? 0 : points.reduce((sum, [x, y]) => sum + (x - mx) * (y - my), 0) / spread;
}

export const percentiles = (values: readonly number[]) => ({ p50: quantile(values, 0.5), p95: quantile(values, 0.95) });

const GOALS = { fps: 28, p50: 90, p95: 180, slopeMsPerMinute: 1, rtspFps: 26 } as const;

/** One figure a line, the goal beside it. */
export function liveTable({ machine, webrtc, rtsp, soak, room }: LiveFigures, notes: readonly string[]): string {
  const lines: [name: string, value: string, goal: string][] = [];
  const judged = (met: boolean, goal: string) => `${goal}: ${met ? 'met' : 'missed'}`;
  if (webrtc) {
    const { fps, addedLatencyMs, slopeMsPerMinute } = webrtc;
    const { p50, p95 } = addedLatencyMs;
    lines.push(['WebRTC, frames a second', fps.toFixed(1), judged(fps >= GOALS.fps, `≥ ${GOALS.fps} of 30`)]);
    lines.push(['added latency, p50', `${p50.toFixed(0)} ms`, judged(p50 <= GOALS.p50, `≤ ${GOALS.p50} ms`)]);
    lines.push(['added latency, p95', `${p95.toFixed(0)} ms`, judged(p95 <= GOALS.p95, `≤ ${GOALS.p95} ms`)]);
    const grows = slopeMsPerMinute > GOALS.slopeMsPerMinute;
    lines.push(['its growth', `${slopeMsPerMinute.toFixed(2)} ms a minute`, judged(!grows, 'none (≤ 1)')]);
  }
  if (soak) {
    lines.push([`memory over ${soak.minutes} min`, `${soak.rssSlopeMbPerHour.toFixed(0)} MB an hour`, '']);
    lines.push(['descriptors and threads', `${soak.handles >= 0 ? '+' : ''}${soak.handles}`, '']);
  }
  if (rtsp) {
    lines.push(['RTSP 720p, frames a second', rtsp.fps.toFixed(1), judged(rtsp.fps >= GOALS.rtspFps, '≥ 26 of 30')]);
    lines.push(['added latency, p50', `${rtsp.addedLatencyMs.toFixed(0)} ms`, '']);
  }
  if (room) {
    const each = (rates: readonly number[]) => rates.map((fps) => fps.toFixed(1)).join(' and ');
    lines.push(['room of two, frames a second', each(room.fps), `cameras ${each(room.cameraFps)}`]);
    lines.push(['room of two, drops', String(room.drops), judged(room.drops === 0, 'none')]);
  }
  const widths = [0, 1].map((i) => Math.max(...lines.map((line) => line[i]!.length)));
  const rows = lines.map((l) => `  ${l[0].padEnd(widths[0]!)}  ${l[1].padStart(widths[1]!)}  ${l[2]}`.trimEnd());
  return `${[machine, ...rows, ...notes.map((note) => `  ${note}`)].join('\n')}\n`;
}
