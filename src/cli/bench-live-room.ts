import { join } from 'node:path';
import { BenchBrowser } from './bench-live-browser.ts';
import { makeRoomClip, makeToneFile, ROOM } from './bench-live-clips.ts';
import { deliveredFps, type RoomFigures } from './bench-live-figures.ts';
import type { Seen } from './bench-live-page.ts';
import { ServedStream } from './bench-live-serve.ts';

const STREAMS = ['a', 'b'] as const;
/** Of the models, and of the senders' bit rates. */
const WARM_UP_S = 15;
/** Until the pages are at rest again after they were asked. */
const ASKED_S = 2;
const REASONS = ['overtaken', 'rate', 'decoder', 'encoder'];

export interface RoomOptions {
  readonly minutes: number;
  readonly folder: string;
  readonly settings: readonly string[];
  readonly tell: (sentence: string) => void;
}

/** Two browsers in a call through `understudy serve`, each publishing one stream and watching the other's. */
export async function benchRoom({ minutes, folder, settings, tell }: RoomOptions): Promise<RoomFigures> {
  const [camera, microphone] = [join(folder, 'bench-room.y4m'), join(folder, 'bench-live.wav')];
  await Promise.all([makeRoomClip(camera), makeToneFile(microphone)]);
  const served = await ServedStream.start(STREAMS, settings);
  const browsers: BenchBrowser[] = [];
  try {
    for (const _ of STREAMS) browsers.push(await BenchBrowser.open(camera, microphone, `${served.base}/demo`));
    for (const browser of browsers) await browser.call('openCamera', false, ROOM);
    for (const [i, browser] of browsers.entries()) await browser.call('watch', STREAMS[1 - i]!);
    for (const [i, browser] of browsers.entries()) await browser.call('publish', STREAMS[i]!);
    tell(`${minutes} min of two browsers in a room`);
    await pause(WARM_UP_S);
    await Promise.all(browsers.map((browser) => browser.call('take')));
    // Asking the pages takes a good part of both cores for a moment: what is dropped then is not the call's.
    await pause(ASKED_S);
    const before = await drops(served);
    await pause(minutes * 60);
    const after = await drops(served);
    const seen: Seen[] = await Promise.all(browsers.map((browser) => browser.call('take')));
    return {
      fps: [rate(seen[0]!.arrived), rate(seen[1]!.arrived)],
      cameraFps: [rate(seen[0]!.camera), rate(seen[1]!.camera)],
      drops: after - before,
    };
  } finally {
    await Promise.all(browsers.map((browser) => browser.close()));
    await served.stop();
  }
}

function rate(sightings: Seen['arrived']): number {
  const [first, last] = [sightings[0], sightings.at(-1)];
  return first && last && last[1] > first[1] ? deliveredFps(sightings, first[1], last[1]) : 0;
}

/** Pictures and frames that the relay has left out, of both streams. */
async function drops(served: ServedStream): Promise<number> {
  const sample = await served.metrics();
  return STREAMS.flatMap((stream) => REASONS.map((reason) => `drops_total{stream="${stream}",reason="${reason}"}`))
    .map(sample)
    .reduce((sum, count) => sum + count, 0);
}

const pause = (seconds: number) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));
