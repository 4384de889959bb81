import { beforeAll, describe, expect, it } from 'vitest';
import type { Picture } from '../../src/core/vision.ts';
import { StreamAnalyser } from '../../src/track/analyser.ts';
import { covers } from '../support/covered.ts';
import { demoPhoto } from '../support/demo-photo.ts';
import { trackPorts } from '../support/track-ports.ts';

const WHOLE = { x: 0, y: 0, width: 1280, height: 720, quarterTurns: 0 } as const;
let { ports, shape } = {} as Awaited<ReturnType<typeof trackPorts>>;

beforeAll(async () => {
  ({ ports, shape } = await trackPorts());
});

/** The picture as a camera shows it that gets so much less light, or stands in haze, which adds some; with its noise. */
function weakened(picture: Picture, gain: number, haze: number, noise: number): Picture {
  let seed = 1;
  const random = () => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return seed / 2 ** 32;
  };
  const luma = 1280 * 720;
  const planes = picture.planes.map((value, i) => {
    const black = i < luma ? 16 : 128;
    // Three even distributions are near enough to a normal one.
    const grain = noise * 2 * (random() + random() + random() - 1.5);
    return Math.max(0, Math.min(255, Math.round(black + (i < luma ? haze : 0) + gain * (value - black) + grain)));
  });
  return { ...picture, planes };
}

describe.each(['still', 'file', 'live'] as const)('a picture that is nearly black, or pale all over: %s', (mode) => {
  it.each([
    { gain: 0.1, haze: 0, noise: 0 },
    { gain: 0.06, haze: 0, noise: 0 },
    { gain: 0.12, haze: 0, noise: 1 },
    { gain: 0.15, haze: 150, noise: 0 },
    { gain: 0.1, haze: 80, noise: 0 },
  ])('everybody is covered whom it shows when its tones are spread: %o', async ({ gain, haze, noise }) => {
    let faces = 0;
    for (const number of [3, 4, 6] as const) {
      const photo = demoPhoto(number);
      const analyser = new StreamAnalyser(ports, shape, { mode, sessionKey: new Uint8Array(32) });
      const found = await analyser.analyse(weakened(photo, gain, haze, noise), { sequence: 0, timestampUs: 0 });
      for (const face of await ports.finder.detect(photo, WHOLE, 0.95)) {
        faces++;
        expect(covers(found.faces, face), `photo ${number}, face at ${Math.round(face.x)}`).toBe(true);
      }
    }
    expect(faces).toBeGreaterThan(8);
  });
});
