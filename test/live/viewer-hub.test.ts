import { afterEach, it, vi } from 'vitest';
import { findFfmpeg } from '../../src/core/ffmpeg.ts';
import type { VideoCodecName } from '../../src/core/webrtc/offer.ts';
import type { Viewer } from '../../src/egress/webrtc/viewer.ts';
import { ViewerHub } from '../../src/egress/webrtc/viewer-hub.ts';
import { childrenWith } from './processes.ts';
import { poolFor, sealFlat, until } from './support.ts';

const FORMAT = { width: 320, height: 240, colour: { matrix: 'bt601', range: 'limited' } } as const;
/** How often the bit rate is looked at. */
const CHECK_MS = 2000;

afterEach(() => {
  vi.useRealTimers();
});

class FakeViewer {
  readonly connected = true;
  readonly roundTripMs = 0;
  estimateKbps: number | undefined;
  pictures = 0;
  readonly codec: VideoCodecName = 'vp8';
  takeMostLost = () => 0;
  readonly peer = { close: async () => {} };
  restart(): void {}
  sendPicture(): void {
    this.pictures++;
  }
}

it('lowers the bit rate at once for the slowest viewer, and raises it when the higher one has fitted for a while', {
  timeout: 60_000,
}, async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  const hub = new ViewerHub(await findFfmpeg(), { rungsKbps: [400, 1000, 2500], minKbps: 150 });
  const [slow, quick] = [new FakeViewer(), new FakeViewer()];
  for (const viewer of [slow, quick]) hub.add(viewer as unknown as Viewer);
  const pool = poolFor(FORMAT);
  let sequence = 0;
  const frame = () => hub.write(sealFlat({ sequence, timestampUs: 40_000 * sequence++, format: FORMAT }, pool, 90)!);
  /** The one encoder's bit rate, once it is the only one, and its viewers get pictures of it. */
  const encodes = async (kbps: number) => {
    const started = () => childrenWith('libvpx').length === 1 && childrenWith(`\0${kbps}k\0`).length === 1;
    await until(started, 10_000, `an encoder of ${kbps} kbit/s`);
    const before = slow.pictures;
    for (let i = 0; i < 3; i++) await frame();
    await until(() => slow.pictures > before, 10_000, `pictures of ${kbps} kbit/s`);
  };
  const check = () => vi.advanceTimersByTime(CHECK_MS);
  try {
    await frame();
    await encodes(1000);
    [slow.estimateKbps, quick.estimateKbps] = [600, 5000];
    check();
    await encodes(400);
    // Up again, but for a moment only, is too early: each change costs a key picture.
    slow.estimateKbps = 1500;
    for (let i = 0; i < 3; i++) check();
    slow.estimateKbps = 600;
    check();
    slow.estimateKbps = 1500;
    for (let i = 0; i < 3; i++) check();
    await encodes(400);
    check();
    await encodes(1000);
    // And to the top, when the slowest can take that.
    slow.estimateKbps = 3000;
    for (let i = 0; i < 4; i++) check();
    await encodes(2500);
    // Who takes less than the minimum does not hold the others back.
    slow.estimateKbps = 100;
    for (let i = 0; i < 4; i++) check();
    await encodes(2500);
  } finally {
    await hub.close();
  }
});
