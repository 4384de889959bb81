import { beforeAll, describe, expect, it } from 'vitest';
import type { Region } from '../../src/core/face-track.ts';
import type { Picture } from '../../src/core/vision.ts';
import { StreamAnalyser } from '../../src/track/analyser.ts';
import { covers } from '../support/covered.ts';
import { demoPhoto } from '../support/demo-photo.ts';
import { trackPorts } from '../support/track-ports.ts';

const [WIDTH, HEIGHT] = [1280, 720];
const WHOLE = { x: 0, y: 0, width: WIDTH, height: HEIGHT, quarterTurns: 0 } as const;
let { ports, shape } = {} as Awaited<ReturnType<typeof trackPorts>>;

beforeAll(async () => {
  ({ ports, shape } = await trackPorts());
});

/** Whether a pixel shows this person: head with hair, and what is below it. */
function onPerson(x: number, y: number, face: Region): boolean {
  const aside = Math.abs(x - face.x - face.width / 2);
  const below = y - face.y - 0.95 * face.height;
  const up = y - face.y - 0.4 * face.height;
  if (below > 0 && aside < Math.min(1.5 * face.width, 0.5 * face.width + 1.5 * below)) return true;
  return Math.hypot(aside / (0.9 * face.width), up / (0.85 * face.height)) < 1;
}

/** The photograph with everybody in so much of his light before what is bright, and those who have not come yet as bright as that. */
function backlit(picture: Picture, people: readonly Region[], gain: number, absent: readonly Region[] = []): Picture {
  const planes = new Uint8Array(new SharedArrayBuffer(picture.planes.length));
  planes.set(picture.planes);
  const half = (WIDTH / 2) * (HEIGHT / 2);
  for (let y = 0; y < HEIGHT; y++) {
    for (let x = 0; x < WIDTH; x++) {
      const at = y * WIDTH + x;
      const away = absent.some((face) => onPerson(x, y, face));
      const dark = !away && people.some((face) => onPerson(x, y, face));
      const value = away ? 180 : dark ? 16 + gain * (planes[at]! - 16) : 121 + 0.5 * (planes[at]! - 16);
      planes[at] = Math.round(value);
      if (x % 2 === 1 || y % 2 === 1) continue;
      for (const chroma of [WIDTH * HEIGHT, WIDTH * HEIGHT + half]) {
        const c = chroma + (y / 2) * (WIDTH / 2) + x / 2;
        planes[c] = Math.round(128 + (away ? 0 : dark ? gain : 0.5) * (planes[c]! - 128));
      }
    }
  }
  return { ...picture, planes };
}

describe.each(['still', 'file', 'live'] as const)('people before something bright: %s', (mode) => {
  it.each([0.15, 0.1, 0.07])(
    'everybody is covered whom it shows when its shadows are lightened, at %d of his light',
    async (gain) => {
      let faces = 0;
      for (const number of [3, 4, 6] as const) {
        const photo = demoPhoto(number);
        const people = await ports.finder.detect(photo, WHOLE, 0.95);
        const analyser = new StreamAnalyser(ports, shape, { mode, sessionKey: new Uint8Array(32) });
        const found = await analyser.analyse(backlit(photo, people, gain), { sequence: 0, timestampUs: 0 });
        for (const face of people) {
          faces++;
          expect(covers(found.faces, face), `photo ${number}, face at ${Math.round(face.x)}`).toBe(true);
        }
      }
      expect(faces).toBeGreaterThan(8);
    },
  );
});

/** Of so many frames somebody comes in on one. */
const [FRAMES, COMES] = [24, 5];

describe.each([
  { mode: 'live', late: 0 },
  // Recordings are looked back at by twelve frames.
  { mode: 'file', late: 11 },
] as const)('somebody who comes to others before something bright: $mode', ({ mode, late }) => {
  it('is covered, and stays covered', async () => {
    const photo = demoPhoto(6);
    const people = (await ports.finder.detect(photo, WHOLE, 0.95)).sort((a, b) => b.height - a.height);
    const [comes] = people;
    const [before, after] = [[comes!], []].map((absent) => backlit(photo, people, 0.1, absent));
    const analyser = new StreamAnalyser(ports, shape, { mode, sessionKey: new Uint8Array(32) });
    const bare: string[] = [];
    let began = false;
    for (let sequence = 0; sequence < FRAMES; sequence++) {
      const there = sequence >= COMES;
      const at = { sequence, timestampUs: sequence * 40_000 };
      const { faces } = await analyser.analyse(there ? after! : before!, at);
      for (const face of people) {
        if (face === comes && sequence < COMES + late && !covers(faces, face)) continue;
        if (!covers(faces, face)) bare.push(`frame ${sequence}, face at ${Math.round(face.x)}`);
        else if (face === comes && there && !began) {
          began = true;
          const { trackId } = faces.find((f) => covers([f], face))!;
          for (let back = sequence - 1; back >= COMES; back--) {
            const found = await analyser.searchBack(after!, { sequence: back, timestampUs: back * 40_000 }, trackId);
            if (found === 'scene-cut' || !covers([found], face)) bare.push(`back at ${back}`);
          }
        }
      }
    }
    expect(began).toBe(true);
    expect(bare).toEqual([]);
  });
});
