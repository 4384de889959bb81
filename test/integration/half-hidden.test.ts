import { beforeAll, describe, expect, it } from 'vitest';
import type { Detection, TrackedFace } from '../../src/core/face-track.ts';
import { planeLayout } from '../../src/core/video-frame.ts';
import type { Picture } from '../../src/core/vision.ts';
import { StreamAnalyser } from '../../src/track/analyser.ts';
import { demoPhoto } from '../support/demo-photo.ts';
import { trackPorts } from '../support/track-ports.ts';

const WHOLE = { x: 0, y: 0, width: 1280, height: 720, quarterTurns: 0 } as const;
/** How far the one behind looks out, in widths of the face before him; to the right and to the left. */
const ASIDE = [0.62, -0.62, 0.56, -0.56];
let { ports, shape } = {} as Awaited<ReturnType<typeof trackPorts>>;

beforeAll(async () => {
  ({ ports, shape } = await trackPorts());
});

const middle = (d: Detection) => [Math.round(d.x + d.width / 2), Math.round(d.y + d.height / 2)] as const;

/** Puts a head, an ellipse around its box with the hair, into another picture. */
function paste(into: Picture, from: Picture, head: Detection, x: number, y: number): void {
  const { chromaWidth, cbOffset, crOffset } = planeLayout(1280, 720);
  const [fromX, fromY] = middle(head);
  const [rx, ry] = [0.62 * head.width, 0.72 * head.height];
  for (const [offset, stride, step] of [
    [0, 1280, 1],
    [cbOffset, chromaWidth, 2],
    [crOffset, chromaWidth, 2],
  ] as const) {
    for (let v = Math.ceil(-ry); v <= ry; v += step)
      for (let u = Math.ceil(-rx); u <= rx; u += step) {
        if ((u / rx) ** 2 + ((v + 0.05 * head.height) / ry) ** 2 > 1) continue;
        const at = (px: number, py: number) => offset + ((py + v) >> (step - 1)) * stride + ((px + u) >> (step - 1));
        into.planes[at(x, y)] = from.planes[at(fromX, fromY)]!;
      }
  }
}

async function faces(picture: Picture): Promise<Detection[]> {
  const all = await ports.finder.detect(picture, WHOLE, 0.95);
  return all.filter((d) => d.x > 120 && d.x + d.width < 1160 && d.y > 40);
}

/** Whether a face is covered whose box this is: by a cover of its own, for the one before him is painted within his outline only. */
function hides({ region }: TrackedFace, box: Detection, before: number): boolean {
  const [x, y] = middle(box);
  const [cx, cy] = [region.x + region.width / 2, region.y + region.height / 2];
  const [dx, dy] = [Math.abs(x - cx), Math.abs(y - cy)];
  return (
    Math.abs(before - cx) > 0.3 * region.width &&
    dx < 0.3 * region.width &&
    dy < 0.3 * region.height &&
    region.width < 2.5 * box.width
  );
}

describe.each(['still', 'file'] as const)('somebody half behind somebody else: %s', (mode) => {
  it('is covered when the detector is sure of the half that looks out', async () => {
    const [before, behind] = [demoPhoto(4), demoPhoto(3)];
    let seen = 0;
    for (const front of await faces(before)) {
      for (const head of await faces(behind)) {
        if (Math.abs(head.height / front.height - 1) > 0.4) continue;
        for (const aside of ASIDE) {
          const [x, y] = middle(front);
          const there = Math.round(x + aside * front.width);
          const picture = { ...before, planes: new Uint8Array(before.planes) };
          paste(picture, behind, head, there, y);
          paste(picture, before, front, x, y);
          const window = { x: there - 320, y: Math.max(0, y - 240), width: 640, height: 480, quarterTurns: 0 } as const;
          const half = (await ports.finder.detect(picture, window, 0.9)).find(
            (d) =>
              (middle(d)[0] - x) / front.width / Math.sign(aside) > 0.5 &&
              Math.abs(middle(d)[0] - there) < 0.5 * head.width,
          );
          if (!half) continue;
          seen++;
          const analyser = new StreamAnalyser(ports, shape, { mode, sessionKey: new Uint8Array(32) });
          const found = await analyser.analyse(picture, { sequence: 0, timestampUs: 0 });
          expect(
            found.faces.some((face) => hides(face, half, x)),
            `beside ${x}, at ${there}`,
          ).toBe(true);
        }
      }
    }
    expect(seen).toBeGreaterThan(5);
  });
});
