import { beforeAll, expect, it } from 'vitest';
import { planeLayout } from '../../src/core/video-frame.ts';
import type { Picture } from '../../src/core/vision.ts';
import { StreamAnalyser } from '../../src/track/analyser.ts';
import { demoPhoto } from '../support/demo-photo.ts';
import { trackPorts } from '../support/track-ports.ts';

const WHOLE = { x: 0, y: 0, width: 1280, height: 720, quarterTurns: 0 } as const;
let { ports, shape } = {} as Awaited<ReturnType<typeof trackPorts>>;

beforeAll(async () => {
  ({ ports, shape } = await trackPorts());
});

/** The picture as a camera shows it that was pushed aside by so many pixels, an even number. */
function pushed(picture: Picture, by: number): Picture {
  const planes = new Uint8Array(picture.planes.length);
  const { chromaWidth, chromaHeight, cbOffset, crOffset } = planeLayout(1280, 720);
  for (const [offset, stride, rows, shift] of [
    [0, 1280, 720, by],
    [cbOffset, chromaWidth, chromaHeight, by / 2],
    [crOffset, chromaWidth, chromaHeight, by / 2],
  ] as const) {
    for (let y = 0; y < rows; y++)
      for (let x = 0; x < stride; x++) {
        const from = Math.min(stride - 1, Math.max(0, x - shift));
        planes[offset + y * stride + x] = picture.planes[offset + y * stride + from]!;
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
