import { join } from 'node:path';
import { quantile } from '../evaluate/metrics/statistics.ts';
import { BenchBrowser } from './bench-live-browser.ts';
import { makeCameraClip, makeToneFile } from './bench-live-clips.ts';
import {
  deliveredFps,
  type LiveFigures,
  latencies,
  percentiles,
  type Sighting,
  slope,
  type WebRtcFigures,
} from './bench-live-figures.ts';
import type { PeerReport, Seen } from './bench-live-page.ts';
import { ServedStream } from './bench-live-serve.ts';
import { type TreeUse, treeUse } from './process-tree.ts';

const STREAM = 'bench';
const CONTROL_S = 10;
/** Start of the models' first frames, of the sender's bit rate and of the jitter buffer. */
const WARM_UP_S = 10;
const LOOK_EVERY_S = 2;
/** The heap and ONNX Runtime's arenas grow to their size within this time; shorter runs can only wait for a third of theirs. */
const MEMORY_WARM_UP_S = 600;
/** Looks whose median tells descriptors and threads: an encoder that is being exchanged counts twice. */
const HANDLE_LOOKS = 5;

export interface WebRtcResult {
  readonly webrtc: WebRtcFigures;
  readonly soak: NonNullable<LiveFigures['soak']>;
  readonly notes: string[];
}

export interface WebRtcOptions {
  readonly minutes: number;
  /** Publish the microphone too and compare sound and picture: a browser holds the picture back to be with its sound. */
  readonly sound: boolean;
  readonly folder: string;
  readonly settings: readonly string[];
  readonly tell: (sentence: string) => void;
}

/** One run of so many minutes through `understudy serve`, from a browser's camera back into the same page. */
export async function benchWebRtc({ minutes, sound, folder, settings, tell }: WebRtcOptions): Promise<WebRtcResult> {
  const [camera, microphone] = [join(folder, 'bench-live.y4m'), join(folder, 'bench-live.wav')];
  await Promise.all([makeCameraClip(camera), makeToneFile(microphone)]);
  const served = await ServedStream.start([STREAM], settings);
  let browser: BenchBrowser | undefined;
  try {
    browser = await BenchBrowser.open(camera, microphone, `${served.base}/demo`);
    await browser.call('openCamera', sound);
    tell(`control: ${CONTROL_S} s through a plain peer connection`);
    await browser.call('startControl');
    await pause(CONTROL_S);
    const control = await browser.call('take');
    await browser.call('stopControl');
    await browser.call('watch', STREAM);
    await browser.call('publish', STREAM);
    tell(`${minutes} min through understudy serve`);
    return await observe(browser, served, control, minutes, sound);
  } finally {
    await browser?.close();
    await served.stop();
  }
}

async function observe(
  browser: BenchBrowser,
  served: ServedStream,
  control: Seen,
  minutes: number,
  sound: boolean,
): Promise<WebRtcResult> {
  const startedMs = performance.now();
  const all: Seen = { camera: [], arrived: [], micMs: [], heardMs: [] };
  const looks: { atH: number; use: TreeUse }[] = [];
  let sentBefore = 0;
  let warmMs: number | undefined;
  while (performance.now() - startedMs < minutes * 60_000) {
    await pause(LOOK_EVERY_S);
    const taken = await browser.call('take');
    for (const key of ['camera', 'arrived', 'micMs', 'heardMs'] as const) all[key].push(...(taken[key] as never[]));
    const elapsedS = (performance.now() - startedMs) / 1000;
    if (elapsedS >= Math.min(MEMORY_WARM_UP_S, minutes * 20)) {
      looks.push({ atH: elapsedS / 3600, use: treeUse(served.child.pid!) });
    }
    if (warmMs === undefined && elapsedS >= WARM_UP_S) {
      // The page's clock: its camera never stops.
      warmMs = all.camera.at(-1)![1];
      sentBefore = (await browser.call('report')).sent;
    }
  }
  const from = warmMs ?? 0;
  const endMs = all.camera.at(-1)![1];
  const base = median(latencies(control.camera, control.arrived).map(([ms]) => ms));
  const added = latencies(all.camera, all.arrived).filter(([, atMs]) => atMs >= from);
  const values = added.map(([ms]) => ms - base);
  const fpsOf = (list: readonly Sighting[]) => deliveredFps(list, from, endMs).toFixed(1);
  const peers = await browser.call('report');
  const sentFps = ((peers.sent - sentBefore) * 1000) / (endMs - from);
  const unread = all.arrived.filter(([number, atMs]) => number < 0 && atMs >= from).length;
  const use = looks.map((look) => look.use);
  const handlesOf = (part: TreeUse[]) => median(part.map((u) => u.descriptors + u.threads));
  return {
    webrtc: {
      fps: deliveredFps(all.arrived, from, endMs),
      addedLatencyMs: percentiles(values),
      slopeMsPerMinute: slope(added.map(([ms, atMs]) => [atMs / 60_000, ms])),
    },
    soak: {
      minutes,
      rssSlopeMbPerHour: slope(looks.map((look) => [look.atH, look.use.rssMb])),
      handles: Math.round(handlesOf(use.slice(-HANDLE_LOOKS)) - handlesOf(use.slice(0, HANDLE_LOOKS))),
    },
    notes: [
      `control: ${base.toFixed(0)} ms; camera ${fpsOf(all.camera)}, sent ${sentFps.toFixed(1)} frames a second; ${unread} arrived without a number`,
      peersNote(peers),
      `resident ${use[0]?.rssMb.toFixed(0)} MB after the warm-up, ${use.at(-1)?.rssMb.toFixed(0)} MB at the end, ${use.at(-1)?.processes} processes`,
      ...(sound ? [skewNote(all, control, from, base)] : []),
      await relayNote(served),
    ],
  };
}

/** Sound against picture, less the same in the control; positive: the sound is late. */
function skewNote(all: Seen, control: Seen, fromMs: number, controlMs: number): string {
  const soundOf = (seen: Seen, from: number) =>
    seen.heardMs
      .filter((ms) => ms >= from)
      .map((ms) => ms - Math.max(...seen.micMs.filter((at) => at < ms)))
      .filter((ms) => ms < 1500);
  const [sound, plain] = [soundOf(all, fromMs), soundOf(control, 0)];
  const picture = latencies(all.camera, all.arrived).filter(([, atMs]) => atMs >= fromMs);
  if (sound.length === 0 || plain.length === 0) return 'no sound arrived: its skew is unknown';
  const skew = median(sound) - median(picture.map(([ms]) => ms)) - (median(plain) - controlMs);
  return `sound is ${Math.abs(skew).toFixed(0)} ms ${skew > 0 ? 'behind' : 'ahead of'} the picture (${sound.length} tones; sound ${median(sound).toFixed(0)} ms, in the control ${median(plain).toFixed(0)} ms)`;
}

function peersNote(r: PeerReport): string {
  const publisher = `${r.width}×${r.height}, ${r.sendKbps.toFixed(0)} kbit/s, encoding ${r.encodeMs.toFixed(1)} ms, pacing ${r.sendDelayMs.toFixed(1)} ms, ${r.keyFramesSent} key frames`;
  const sound = Number.isNaN(r.soundBufferMs) ? '' : `, of sound ${r.soundBufferMs.toFixed(0)} ms`;
  return `publisher: ${publisher}; viewer: jitter buffer ${r.jitterBufferMs.toFixed(0)} ms${sound}, decoding ${r.decodeMs.toFixed(1)} ms, ${r.lost} packets lost, ${r.keyFramesAsked} key frames asked for`;
}

/** What the relay's metrics say: means since the stream began. */
async function relayNote(served: ServedStream): Promise<string> {
  const sample = await served.metrics();
  const label = `stream="${STREAM}"`;
  const mean = (name: string, labels: string) => sample(`${name}_sum{${labels}}`) / sample(`${name}_count{${labels}}`);
  const stages = ['detect', 'landmarks', 'generate', 'post', 'encode'].map(
    (stage) => `${stage} ${mean('stage_ms', `${label},stage="${stage}"`).toFixed(1)}`,
  );
  const counts = ['pictures_received', 'pictures_dropped', 'frames_sent', 'frames_not_encoded', 'rtp_losses'].map(
    (name) => `${name.replaceAll('_', ' ')} ${sample(`${name}{${label}}`)}`,
  );
  const age = mean('added_latency_ms', label).toFixed(0);
  return `relay: ${stages.join(', ')} ms a frame; age before encoding ${age} ms; ${counts.join(', ')}`;
}

const median = (values: readonly number[]) => quantile(values, 0.5);
const pause = (seconds: number) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));
