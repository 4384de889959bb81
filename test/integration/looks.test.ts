import { expect, it } from 'vitest';
import type { TrackedFace } from '../../src/core/face-track.ts';
import { planeLayout } from '../../src/core/video-frame.ts';
import { ModelStore } from '../../src/infer/model-store.ts';
import { StreamAnalyser } from '../../src/track/analyser.ts';
import { centreX, centreY } from '../../src/track/geometry.ts';
import { ffmpeg, pixels, scratch, understudy } from '../support/command.ts';
import { trackPorts } from '../support/track-ports.ts';

const [WIDTH, HEIGHT] = [1280, 720];
const KEY = '00112233445566778899aabbccddeeff';

/** Where the eyes look: pupils from the middles of their eyes, x and y, in widths of an eye; undefined where one is not seen. */
function gaze({ own }: TrackedFace): number[] | undefined {
  if (!own || own[136]! < 0 || own[138]! < 0) return undefined;
  return [36, 42].flatMap((from, eye) => {
    const width = own[2 * from + 6]! - own[2 * from]!;
    return [0, 1].map((axis) => {
      const middle = (own[2 * from + axis]! + own[2 * from + 6 + axis]!) / 2;
      return (own[2 * (68 + eye) + axis]! - middle) / width;
    });
  });
}

it('understudies look where the people look: the iris network finds their pupils there, and better so than as generated', async () => {
  const { ports, shape } = await trackPorts();
  const { at } = scratch('looks');
  const seen = async (path: string): Promise<readonly TrackedFace[]> => {
    const planes = new Uint8Array(new SharedArrayBuffer(planeLayout(WIDTH, HEIGHT).byteLength));
    planes.set(pixels(path, 'yuv420p'));
    const format = { width: WIDTH, height: HEIGHT, colour: { matrix: 'bt601', range: 'limited' } } as const;
    const analyser = new StreamAnalyser(ports, shape, { mode: 'still', sessionKey: new Uint8Array(32) });
    return (await analyser.analyse({ planes, format }, { sequence: 0, timestampUs: 0 })).faces;
  };
  const away = { drawn: [] as number[], generated: [] as number[] };
  for (const number of [3, 4, 6]) {
    const photo = at(`${number}.png`);
    const fit = `scale=${WIDTH}:${HEIGHT}:force_original_aspect_ratio=decrease,pad=${WIDTH}:${HEIGHT}:(ow-iw)/2:(oh-ih)/2`;
    ffmpeg('-i', ModelStore.open().verify(`demo-photo-${number}`), '-vf', fit, '-frames:v', '1', photo);
    const people = await seen(photo);
    for (const [name, features] of [
      ['drawn', 'true'],
      ['generated', 'false'],
    ] as const) {
      const out = at(`${number}-${name}.png`);
      const sets = ['--set', `sessionKey=${KEY}`, '--set', `post.features=${features}`];
      const { code, stderr } = understudy(['run', photo, out, '--progress', 'none', ...sets]);
      expect(code, stderr).toBe(0);
      const understudies = await seen(out);
      for (const person of people) {
        const other = understudies.find(
          ({ region }) =>
            Math.hypot(centreX(region) - centreX(person.region), centreY(region) - centreY(person.region)) <
            0.3 * person.region.width,
        );
        const [wanted, found] = [gaze(person), other && gaze(other)];
        if (!wanted || !found) continue;
        away[name].push(Math.max(...wanted.map((v, i) => Math.abs(v - found[i]!))));
      }
    }
  }
  const mean = (values: readonly number[]) => values.reduce((sum, v) => sum + v, 0) / values.length;
  console.info(
    `gaze, widths of an eye: drawn ${mean(away.drawn).toFixed(3)}, as generated ${mean(away.generated).toFixed(3)}`,
  );
  expect(away.drawn.length).toBeGreaterThan(5);
  expect(mean(away.drawn)).toBeLessThan(0.12);
  expect(mean(away.drawn)).toBeLessThan(mean(away.generated));
});
