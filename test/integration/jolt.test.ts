import { beforeAll, expect, it } from 'vitest';
import type { TrackedFace } from '../../src/core/face-track.ts';
import { planeLayout } from '../../src/core/video-frame.ts';
import type { Picture } from '../../src/core/vision.ts';
import { StreamAnalyser } from '../../src/track/analyser.ts';
import { mapPoints, meanPoint } from '../../src/track/canonical.ts';
import { demoPhoto } from '../support/demo-photo.ts';
import { trackPorts } from '../support/track-ports.ts';

const WHOLE = { x: 0, y: 0, width: 1280, height: 720, quarterTurns: 0 } as const;
let { ports, shape } = {} as Awaited<ReturnType<typeof trackPorts>>;

beforeAll(async () => {
  ({ ports, shape } = await trackPorts());
});

/** The picture as a camera shows it that was pushed aside and down by so many pixels, even numbers. */
function pushed(picture: Picture, by: number, down = 0): Picture {
  const planes = new Uint8Array(picture.planes.length);
  const { chromaWidth, chromaHeight, cbOffset, crOffset } = planeLayout(1280, 720);
  for (const [offset, stride, rows, scale] of [
    [0, 1280, 720, 1],
    [cbOffset, chromaWidth, chromaHeight, 2],
    [crOffset, chromaWidth, chromaHeight, 2],
  ] as const) {
    for (let y = 0; y < rows; y++) {
      const row = Math.min(rows - 1, Math.max(0, y - down / scale)) * stride;
      for (let x = 0; x < stride; x++) {
        const from = Math.min(stride - 1, Math.max(0, x - by / scale));
        planes[offset + y * stride + x] = picture.planes[offset + row + from]!;
      }
    }
  }
  return { ...picture, planes };
}

it('a camera that is pushed aside leaves no part of a face bare that was found', async () => {
  const photo = demoPhoto(4);
  const analyser = new StreamAnalyser(ports, shape, { mode: 'live', sessionKey: new Uint8Array(32) });
  for (const [sequence, by] of [0, 0, 0, 0, 0, 0, 60, -20, 50, -40].entries()) {
    const picture = pushed(photo, by);
    const { faces } = await analyser.analyse(picture, { sequence, timestampUs: 33_333 * sequence });
    const found = await ports.finder.detect(picture, WHOLE, 0.97);
    expect(found.length).toBeGreaterThan(2);
    for (const { x, y, width, height } of found) {
      // Two looks differ by a few pixels.
      const over = ({ region: r }: (typeof faces)[number]) =>
        r.x < x + 0.08 * width &&
        r.x + r.width > x + 0.92 * width &&
        r.y < y + 0.08 * height &&
        r.y + r.height > y + 0.92 * height;
      expect(faces.some(over), `frame ${sequence}, face at ${Math.round(x)}`).toBe(true);
    }
  }
});

/** Middle of the person's own points in the picture. */
function middleOf({ own, toPicture }: TrackedFace): { x: number; y: number } | undefined {
  if (!own || !toPicture) return undefined;
  const points = mapPoints(toPicture, own);
  return meanPoint(points, 0, 68);
}

it('a face that moves quickly is drawn where it is, and not half-way', async () => {
  let drawn = 0;
  for (const [number, step] of [
    [4, 20],
    [5, 30],
    [1, 50],
    [1, 80],
  ] as const) {
    const photo = demoPhoto(number);
    const analyser = new StreamAnalyser(ports, shape, { mode: 'live', sessionKey: new Uint8Array(32) });
    const rest = new Map<number, { x: number; y: number }>();
    for (const [sequence, down] of [0, 0, 0, step, step, -step, 0].entries()) {
      const picture = pushed(photo, 0, down);
      const { faces } = await analyser.analyse(picture, { sequence, timestampUs: 40_000 * sequence });
      for (const face of faces) {
        const middle = middleOf(face);
        if (!middle) continue;
        if (sequence === 2) rest.set(face.trackId, middle);
        const before = rest.get(face.trackId);
        if (!before || sequence < 3) continue;
        drawn++;
        const away = Math.hypot(middle.x - before.x, middle.y - before.y - down) / face.region.width;
        expect(away, `photo ${number}, frame ${sequence}, face at ${Math.round(middle.x)}`).toBeLessThan(0.1);
      }
    }
  }
  expect(drawn).toBeGreaterThan(30);
});

/** What a camera that is swung from one picture to the next shows, its pixels smeared over a third of the way. */
function swung(left: Picture, right: Picture, by: number, smear: number): Picture {
  const planes = new Uint8Array(left.planes.length);
  const { chromaWidth, chromaHeight, cbOffset, crOffset } = planeLayout(1280, 720);
  for (const [offset, stride, rows, scale] of [
    [0, 1280, 720, 1],
    [cbOffset, chromaWidth, chromaHeight, 2],
    [crOffset, chromaWidth, chromaHeight, 2],
  ] as const) {
    for (let y = 0; y < rows; y++)
      for (let x = 0; x < stride; x++) {
        let sum = 0;
        for (let k = 0; k < smear / scale; k++) {
          const at = Math.min(2 * stride - 1, Math.max(0, x + by / scale + k - Math.floor(smear / scale / 2)));
          sum +=
            at < stride ? left.planes[offset + y * stride + at]! : right.planes[offset + y * stride + at - stride]!;
        }
        planes[offset + y * stride + x] = Math.round(sum / (smear / scale));
      }
  }
  return { ...left, planes };
}

it('somebody who comes in at the side while the camera swings is covered where he is seen most clearly', async () => {
  const [left, right] = [demoPhoto(4), demoPhoto(3)];
  const analyser = new StreamAnalyser(ports, shape, { mode: 'live', sessionKey: new Uint8Array(32) });
  let seen = 0;
  for (let sequence = 0; sequence < 13; sequence++) {
    const picture = swung(left, right, 60 * sequence, 20);
    const { faces } = await analyser.analyse(picture, { sequence, timestampUs: 40_000 * sequence });
    for (const { x, y, width, height } of await ports.finder.detect(picture, WHOLE, 0.95)) {
      if (x < 20 || x + width > 1260) continue;
      seen++;
      const over = ({ region: r }: (typeof faces)[number]) =>
        r.x < x + 0.15 * width &&
        r.x + r.width > x + 0.85 * width &&
        r.y < y + 0.15 * height &&
        r.y + r.height > y + 0.85 * height;
      expect(faces.some(over), `frame ${sequence}, face at ${Math.round(x)}`).toBe(true);
    }
  }
  expect(seen).toBeGreaterThan(15);
});
