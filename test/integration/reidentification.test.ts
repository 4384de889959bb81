import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { cropFromBox, cropFromPoints } from '../../src/core/landmark-crop.ts';
import { planeLayout } from '../../src/core/video-frame.ts';
import type { Picture } from '../../src/core/vision.ts';
import { FaceDetector } from '../../src/infer/detector.ts';
import { LandmarkModel } from '../../src/infer/landmarks.ts';
import { ModelStore } from '../../src/infer/model-store.ts';
import { Recognizer } from '../../src/infer/recognizer.ts';

const london = resolve('../shared/data/london');
const PEOPLE = Number(process.env.REID_PEOPLE ?? 24);
const SIZE = 640;
const FRAMES_EACH = 10;
/** Cosine above which fr_feature calls two pictures one person; its largest value between different people is 0.31. */
const SAME_PERSON = 0.3;

const format = { width: SIZE, height: SIZE, colour: { matrix: 'bt601', range: 'limited' } } as const;

function picturesOf(video: string): Picture[] {
  const bytes = execFileSync('ffmpeg', ['-v', 'error', '-i', video, '-f', 'rawvideo', '-pix_fmt', 'yuv420p', '-'], {
    maxBuffer: 1 << 30,
  });
  const { byteLength } = planeLayout(SIZE, SIZE);
  return Array.from({ length: bytes.length / byteLength }, (_, i) => ({
    planes: bytes.subarray(i * byteLength, (i + 1) * byteLength),
    format,
  }));
}

function fivePoints(p: Float32Array): Float32Array {
  const mean = (from: number, to: number, axis: number) => {
    let sum = 0;
    for (let i = from; i < to; i++) sum += p[2 * i + axis]!;
    return sum / (to - from);
  };
  return Float32Array.of(
    mean(36, 42, 0),
    mean(36, 42, 1),
    mean(42, 48, 0),
    mean(42, 48, 1),
    p[60]!,
    p[61]!,
    p[96]!,
    p[97]!,
    p[108]!,
    p[109]!,
  );
}

describe.skipIf(!existsSync(london))('re-identification of the composed picture (needs ../shared/data/london)', () => {
  it('takes nobody for the original, and finds a face where one was', { timeout: 600_000 }, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'understudy-reid-'));
    const names = readdirSync(london)
      .filter((n) => n.endsWith('_neutral.jpg'))
      .slice(0, PEOPLE);
    for (const [i, name] of names.entries())
      symlinkSync(join(london, name), join(folder, `${String(i).padStart(3, '0')}.jpg`));
    const input = join(folder, 'people.mp4');
    const output = join(folder, 'anonymous.mp4');
    const rate = ['-framerate', `30/${FRAMES_EACH}`, '-i', join(folder, '%03d.jpg'), '-r', '30'];
    const fit = `scale=${SIZE}:${SIZE}:force_original_aspect_ratio=increase:out_color_matrix=bt601:out_range=tv,crop=${SIZE}:${SIZE},format=yuv420p`;
    execFileSync('ffmpeg', ['-v', 'error', ...rate, '-vf', fit, '-c:v', 'libx264', '-crf', '12', '-g', '1', input]);
    const run = spawnSync(process.execPath, ['dist/main.js', 'run', input, output, '--crf', '12'], {
      encoding: 'utf8',
    });
    expect(run.stderr).toBe('');
    const [originals, anonymous] = [picturesOf(input), picturesOf(output)];
    expect(anonymous.length).toBe(originals.length);

    const store = ModelStore.open();
    const detector = await FaceDetector.create(store);
    const landmarks = await LandmarkModel.create(store);
    const recognizer = await Recognizer.create(store);
    const pointsOf = async (picture: Picture) => {
      const [face] = await detector.detect(picture, { x: 0, y: 0, width: SIZE, height: SIZE, quarterTurns: 0 }, 0.6);
      if (!face) return undefined;
      const first = await landmarks.find(picture, cropFromBox(face));
      return landmarks.find(picture, cropFromPoints(first));
    };
    const cosines: number[] = [];
    let faces = 0;
    for (let i = Math.floor(FRAMES_EACH / 2); i < originals.length; i += FRAMES_EACH) {
      const points = await pointsOf(originals[i]!);
      if (!points) continue;
      if (await pointsOf(anonymous[i]!)) faces++;
      const [a, b] = [
        await recognizer.embed(originals[i]!, fivePoints(points)),
        await recognizer.embed(anonymous[i]!, fivePoints(points)),
      ];
      cosines.push(a.reduce((sum, x, k) => sum + x * b[k]!, 0));
    }
    const accepted = cosines.filter((c) => c > SAME_PERSON).length;
    const mean = cosines.reduce((a, b) => a + b) / cosines.length;
    console.info(
      `${cosines.length} people: mean cosine ${mean.toFixed(3)}, largest ${Math.max(...cosines).toFixed(3)}, accepted ${accepted}, faces found again ${faces}`,
    );
    expect(cosines.length).toBeGreaterThan(0.9 * names.length);
    expect(accepted / cosines.length).toBeLessThanOrEqual(0.02);
    expect(faces / cosines.length).toBeGreaterThan(0.9);
  });
});
