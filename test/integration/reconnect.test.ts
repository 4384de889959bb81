import { beforeAll, expect, it } from 'vitest';
import { planeLayout } from '../../src/core/video-frame.ts';
import type { Picture } from '../../src/core/vision.ts';
import { StreamAnalyser } from '../../src/track/analyser.ts';
import { demoPhoto } from '../support/demo-photo.ts';
import { trackPorts } from '../support/track-ports.ts';

const WHOLE = { x: 0, y: 0, width: 1280, height: 720, quarterTurns: 0 } as const;
/** The other photograph is this many times smaller, and lies here. */
const [SMALLER, LEFT, TOP] = [6, 40, 560];
let { ports, shape } = {} as Awaited<ReturnType<typeof trackPorts>>;

beforeAll(async () => {
  ({ ports, shape } = await trackPorts());
});

/** A room with people far away in one corner of it. */
function withPeople(room: Picture, people: Picture): Picture {
  const planes = new Uint8Array(room.planes);
  const { chromaWidth, chromaHeight, cbOffset, crOffset } = planeLayout(1280, 720);
  for (const [offset, stride, height, shrink] of [
    [0, 1280, 720, 1],
    [cbOffset, chromaWidth, chromaHeight, 2],
    [crOffset, chromaWidth, chromaHeight, 2],
  ] as const) {
    for (let y = 0; y < Math.floor(height / SMALLER); y++)
      for (let x = 0; x < Math.floor(stride / SMALLER); x++) {
        let sum = 0;
        for (let j = 0; j < SMALLER; j++)
          for (let i = 0; i < SMALLER; i++)
            sum += people.planes[offset + (SMALLER * y + j) * stride + SMALLER * x + i]!;
        planes[offset + (y + TOP / shrink) * stride + x + LEFT / shrink] = Math.round(sum / SMALLER ** 2);
      }
  }
  return { ...room, planes };
}

it('people who came in while a camera was away are covered on its first picture', async () => {
  const [room, people] = [demoPhoto(4), demoPhoto(3)];
  const there = (await ports.finder.detect(people, WHOLE, 0.95)).map((d) => ({
    x: LEFT + (d.x + d.width / 2) / SMALLER,
    y: TOP + (d.y + d.height / 2) / SMALLER,
    height: d.height / SMALLER,
  }));
  expect(there.length).toBeGreaterThan(2);
  const analyser = new StreamAnalyser(ports, shape, { mode: 'live', sessionKey: new Uint8Array(32) });
  const blank: Picture = { ...room, planes: new Uint8Array(room.planes.length).fill(128) };
  let sequence = 0;
  const analyse = (picture: Picture, seconds: number, damaged = false) =>
    analyser.analyse(picture, { sequence: sequence++, timestampUs: 1e6 * seconds, damaged });
  for (let i = 0; i < 3; i++) await analyse(room, i / 30);
  for (let i = 0; i < 45; i++) await analyse(blank, 1 + i / 5, true);
  const { faces } = await analyse(withPeople(room, people), 10);
  for (const { x, y, height } of there) {
    const over = ({ region: r }: (typeof faces)[number]) =>
      x > r.x && x < r.x + r.width && y > r.y && y < r.y + r.height && r.height > height;
    expect(faces.some(over), `${Math.round(height)} pixels at ${Math.round(x)}, ${Math.round(y)}`).toBe(true);
  }
});
