import type { Detection, Region } from '../../src/core/face-track.ts';
import type { DetectorWindow, EyeCrop, Picture, SquareCrop } from '../../src/core/vision.ts';
import { StreamAnalyser } from '../../src/track/analyser.ts';
import type { TrackOptions } from '../../src/track/options.ts';
import { ShapeModel } from '../../src/track/shape-model.ts';

/** A frontal face in the canonical crop, drawn by hand: 68 points. */
export function neutralShape(): Float32Array {
  const p: number[] = [];
  const arc = (count: number, cx: number, cy: number, rx: number, ry: number, from: number, to: number) => {
    for (let i = 0; i < count; i++) {
      const t = ((from + ((to - from) * i) / (count - 1)) * Math.PI) / 180;
      p.push(cx + rx * Math.cos(t), cy + ry * Math.sin(t));
    }
  };
  arc(17, 64, 52, 44, 60, 180, 0);
  arc(5, 42, 40, 14, 8, 200, 340);
  arc(5, 86, 40, 14, 8, 200, 340);
  for (let i = 0; i < 4; i++) p.push(64, 46 + 8 * i);
  for (let i = 0; i < 5; i++) p.push(56 + 4 * i, 76 + (i === 2 ? 2 : 0));
  for (const cx of [45, 83]) {
    for (const [dx, dy] of [
      [-7, 0],
      [-3, -3],
      [3, -3],
      [7, 0],
      [3, 3],
      [-3, 3],
    ] as const)
      p.push(cx + dx, 50 + dy);
  }
  for (const [dx, dy] of [
    [-14, 0],
    [-8, -4],
    [-3, -5],
    [0, -4],
    [3, -5],
    [8, -4],
    [14, 0],
    [8, 5],
    [3, 7],
    [0, 7],
    [-3, 7],
    [-8, 5],
  ] as const)
    p.push(64 + dx, 92 + dy);
  for (const [dx, dy] of [
    [-11, 0],
    [-4, -1],
    [0, -1],
    [4, -1],
    [11, 0],
    [4, 2],
    [0, 2],
    [-4, 2],
  ] as const)
    p.push(64 + dx, 92 + dy);
  return Float32Array.from(p);
}

/** A shape model with two directions: width of the jaw and height of the brows. */
export function fixtureShape(): ShapeModel {
  const jaw = new Array<number>(136).fill(0);
  const brows = new Array<number>(136).fill(0);
  for (let i = 0; i < 17; i++) jaw[2 * i] = (i < 8 ? -1 : i > 8 ? 1 : 0) / 4;
  for (let i = 17; i < 27; i++) brows[2 * i + 1] = 1 / Math.sqrt(10);
  return new ShapeModel({
    landmarks: 68,
    mean: [...neutralShape()],
    components: [jaw, brows],
    sigma: [10, 6],
    residualSigma: 1,
    residualLimit: 6,
    mahalanobisLimit: 4,
  });
}

export function grayPicture(width = 640, height = 480, seed = 1): Picture {
  const planes = new Uint8Array(width * height * 1.5);
  // A pattern with structure: the seed moves it, so that two seeds are two scenes.
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++)
      planes[y * width + x] = 128 + 90 * Math.sin((x * seed) / 37 + (y * seed * seed) / 53);
  }
  return { planes, format: { width, height, colour: { matrix: 'bt709', range: 'limited' } } };
}

export interface ScriptedFace {
  box: Region;
  score: number;
  turns?: number;
  /** Points drift away from the face by this many box widths on the second pass: not to be trusted. */
  wobble?: number;
}

/** Models that see the scripted faces and nothing else. */
export class FakeVision {
  faces: ScriptedFace[] = [];
  windows: DetectorWindow[] = [];
  embedding = Float32Array.of(1, 0);
  embedded = 0;
  #passes = 0;
  readonly #shape = neutralShape();

  readonly finder = {
    detect: async (_: Picture, w: DetectorWindow, minScore: number): Promise<Detection[]> => {
      this.windows.push(w);
      return this.faces
        .filter((f) => f.score >= minScore && (f.turns ?? 0) === w.quarterTurns)
        .filter(
          ({ box }) =>
            box.x >= w.x && box.y >= w.y && box.x + box.width <= w.x + w.width && box.y + box.height <= w.y + w.height,
        )
        .map((f) => ({ ...f.box, score: f.score }));
    },
  };

  readonly landmarks = {
    find: async (_: Picture, crop: SquareCrop): Promise<Float32Array> => {
      const distance = (f: ScriptedFace) =>
        Math.hypot(f.box.x + f.box.width / 2 - crop.cx, f.box.y + f.box.height / 2 - crop.cy);
      const face = [...this.faces].sort((a, b) => distance(a) - distance(b))[0];
      const box = face?.box ?? { x: 0, y: 0, width: 50, height: 50 };
      const shift = (face?.wobble ?? 0) * box.width * (this.#passes++ % 2);
      const scale = box.height / 100;
      return this.#shape.map((v, i) =>
        i % 2 === 0 ? box.x + box.width / 2 + (v - 64) * scale + shift : box.y + box.height / 2 + (v - 66) * scale,
      );
    },
  };

  readonly pupils = {
    find: async (_: Picture, eyes: readonly EyeCrop[]) => eyes.map((eye) => ({ x: eye.cx, y: eye.cy })),
  };

  readonly embedder = {
    embed: async (): Promise<Float32Array> => {
      this.embedded++;
      return this.embedding;
    },
  };

  analyser(options: Partial<TrackOptions> = {}): StreamAnalyser {
    const sessionKey = new Uint8Array(32).fill(7);
    return new StreamAnalyser(this, fixtureShape(), { mode: 'file', sessionKey, ...options });
  }
}

export const at = (sequence: number) => ({ sequence, timestampUs: Math.round((sequence * 1e6) / 30) });
