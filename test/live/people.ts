import { execFileSync } from 'node:child_process';
import { cropFromBox, cropFromPoints } from '../../src/core/landmark-crop.ts';
import type { Picture } from '../../src/core/vision.ts';
import { FaceDetector } from '../../src/infer/detector.ts';
import { LandmarkModel } from '../../src/infer/landmarks.ts';
import { ModelStore } from '../../src/infer/model-store.ts';
import { Recognizer } from '../../src/infer/recognizer.ts';
import { fivePoints } from '../../src/track/person.ts';
import { rgbaAsPicture } from '../support/photo.ts';
import type { ShownFrame } from './browser.ts';

/** Where one person's face is in a demo photograph: a 4:3 window in its pixels with nobody else in it. */
const PEOPLE = {
  anna: { photo: 3, x: 887, y: 130 },
  bea: { photo: 6, x: 460, y: 250 },
} as const;
export type PersonName = keyof typeof PEOPLE;

/**
 * A clip of one person who moves a little, 6 s that can be played in a loop.
 * @param path its ending chooses the form: .mjpeg for Chromium's camera, .mkv (H.264) for an RTSP server
 */
export function personClip(name: PersonName, path: string, size = '640x480', rate = 15): void {
  const { photo, x, y } = PEOPLE[name];
  const sway = 'crop=560:420:20+20*sin(2*PI*t/6):15+12*sin(4*PI*t/6)';
  const filter = `crop=600:450:${x}:${y},${sway},scale=${size.replace('x', ':')},format=yuv420p`;
  const coding = path.endsWith('.mjpeg')
    ? ['-c:v', 'mjpeg', '-q:v', '2', '-pix_fmt', 'yuvj420p', '-f', 'mjpeg']
    : ['-c:v', 'libx264', '-preset', 'veryfast', '-crf', '16', '-g', String(rate), '-bf', '0'];
  const still = ['-loop', '1', '-framerate', String(rate), '-i', ModelStore.open().verify(`demo-photo-${photo}`)];
  execFileSync('ffmpeg', ['-v', 'error', '-y', ...still, '-t', '6', '-vf', filter, ...coding, path]);
}

/** The frames of a clip, as a browser would show them. */
export function framesOf(path: string, every = 15): ShownFrame[] {
  const probe = ['-v', 'error', '-select_streams', 'v:0', '-show_entries', 'stream=width,height', '-of', 'csv=p=0'];
  const [width, height] = execFileSync('ffprobe', [...probe, path], { encoding: 'utf8' })
    .trim()
    .split(/[,\n]/)
    .map(Number);
  const pick = `select=not(mod(n\\,${every}))`;
  const args = ['-v', 'error', '-i', path, '-vf', pick, '-vsync', '0', '-f', 'rawvideo', '-pix_fmt', 'rgba', '-'];
  const bytes = execFileSync('ffmpeg', args, { maxBuffer: 1 << 30 });
  const each = width! * height! * 4;
  return Array.from({ length: Math.floor(bytes.length / each) }, (_, i) => ({
    width: width!,
    height: height!,
    rgba: bytes.subarray(i * each, (i + 1) * each),
  }));
}

export interface Searched {
  readonly frames: number;
  /** Frames in which a face was found. */
  readonly withFace: number;
  /** Largest cosine of a face found with any view of the person looked for; −1 without a face. */
  readonly best: number;
  /** Frames with a face that the recognizer takes for the person. */
  readonly matches: number;
}

/** The runtime's own detector and recognizer, as an attacker would use them on what arrives. */
export class FaceSearch {
  readonly #detector: FaceDetector;
  readonly #landmarks: LandmarkModel;
  readonly #recognizer: Recognizer;
  /** Above the largest cosine measured between different people (0.31); one person's own is 0.67 on the average. */
  static readonly SAME = 0.4;

  private constructor(detector: FaceDetector, landmarks: LandmarkModel, recognizer: Recognizer) {
    this.#detector = detector;
    this.#landmarks = landmarks;
    this.#recognizer = recognizer;
  }

  static async create(): Promise<FaceSearch> {
    const store = ModelStore.open();
    return new FaceSearch(
      await FaceDetector.create(store),
      await LandmarkModel.create(store),
      await Recognizer.create(store),
    );
  }

  async embeddings(frame: ShownFrame): Promise<Float32Array[]> {
    const picture: Picture = rgbaAsPicture(frame.rgba, frame.width, frame.height);
    const whole = { x: 0, y: 0, width: frame.width, height: frame.height, quarterTurns: 0 } as const;
    const out: Float32Array[] = [];
    for (const box of await this.#detector.detect(picture, whole, 0.6)) {
      const first = await this.#landmarks.find(picture, cropFromBox(box));
      const points = await this.#landmarks.find(picture, cropFromPoints(first));
      // The model's own buffer is used again at the next call.
      out.push(Float32Array.from(await this.#recognizer.embed(picture, fivePoints(points))));
    }
    return out;
  }

  /** All views of a person in a clip. */
  async person(clip: string): Promise<Float32Array[]> {
    const all: Float32Array[] = [];
    for (const frame of framesOf(clip)) all.push(...(await this.embeddings(frame)));
    return all;
  }

  async search(frames: readonly ShownFrame[], person: readonly Float32Array[]): Promise<Searched> {
    let [withFace, best, matches] = [0, -1, 0];
    for (const frame of frames) {
      const found = await this.embeddings(frame);
      if (found.length > 0) withFace++;
      const cosines = found.flatMap((a) => person.map((b) => a.reduce((sum, x, i) => sum + x * b[i]!, 0)));
      const nearest = Math.max(-1, ...cosines);
      best = Math.max(best, nearest);
      if (nearest > FaceSearch.SAME) matches++;
    }
    return { frames: frames.length, withFace, best, matches };
  }
}

/** Whether nothing of a picture is left: every pixel has one colour, but for what coding does to it. */
export function isVeiled(frame: ShownFrame): boolean {
  let [low, high] = [255, 0];
  for (let i = 0; i < frame.rgba.length; i += 4) {
    low = Math.min(low, frame.rgba[i + 1]!);
    high = Math.max(high, frame.rgba[i + 1]!);
  }
  return high - low < 24;
}
