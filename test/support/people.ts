import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type FaceObserver, FOUND_SCORE } from '../../src/evaluate/observer.ts';
import { readPicture } from '../../src/evaluate/y4m.ts';
import { ModelStore } from '../../src/infer/model-store.ts';

const SIDE = 320;
/** Faces of the group photographs that are large enough, and looked at from the front, for all judges. */
const MIN_FACE_PX = 90;

/** Cuts single people out of the demo photographs: a folder of square pictures, each of another person. */
export async function peopleFolder(
  observer: FaceObserver,
  count: number,
): Promise<{ folder: string; names: string[] }> {
  const folder = mkdtempSync(join(tmpdir(), 'understudy-people-'));
  const names: string[] = [];
  for (const photo of [1, 2, 3, 4, 5, 6]) {
    const path = ModelStore.open().verify(`demo-photo-${photo}`);
    const picture = await readPicture(path);
    for (const { box } of await observer.faces(picture)) {
      if (names.length === count) return { folder, names };
      const side = Math.round(2.4 * box.height);
      const [x, y] = [Math.round(box.x + box.width / 2 - side / 2), Math.round(box.y + box.height / 2 - side / 2)];
      const { width, height } = picture.format;
      if (box.height < MIN_FACE_PX || box.score < FOUND_SCORE + 0.3) continue;
      if (x < 0 || y < 0 || x + side > width || y + side > height) continue;
      const name = `person${String(names.length).padStart(2, '0')}`;
      const file = join(folder, `${name}.png`);
      filter(path, file, `crop=${side}:${side}:${x}:${y},scale=${SIDE}:${SIDE}`);
      if ((await observer.faces(await readPicture(file))).length === 1) names.push(name);
      else rmSync(file);
    }
  }
  return { folder, names };
}

/** Runs one picture through an ffmpeg filter. */
export function filter(from: string, to: string, graph: string): void {
  execFileSync('ffmpeg', ['-v', 'error', '-y', '-i', from, '-vf', graph, '-frames:v', '1', to]);
}

/** The pixel mean of equally large pictures. */
export function meanPicture(from: readonly string[], to: string): void {
  const inputs = from.flatMap((path) => ['-i', path]);
  const graph = `mix=inputs=${from.length}`;
  execFileSync('ffmpeg', ['-v', 'error', '-y', ...inputs, '-filter_complex', graph, '-frames:v', '1', to]);
}
