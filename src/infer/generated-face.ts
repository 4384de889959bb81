import type { FaceSlotViews } from '../core/face-slot.ts';
import { CROP_SIZE } from '../core/face-track.ts';
import { planeLayout } from '../core/video-frame.ts';
import type { Picture } from '../core/vision.ts';

const FORMAT = { width: CROP_SIZE, height: CROP_SIZE, colour: { matrix: 'bt601', range: 'full' } } as const;
const nearest = (value: number, size: number): number => Math.max(0, Math.min(size - 1, Math.round(value)));

/** A generated face in the surroundings it will be shown in, before any pixel of it is; canonical-crop pixels. */
export class GeneratedFace {
  readonly #slot: FaceSlotViews;
  readonly #faceSize: number;

  constructor(slot: FaceSlotViews, faceSize: number) {
    this.#slot = slot;
    this.#faceSize = faceSize;
  }

  /** The nearest pixel, red, green and blue, into `out`. */
  read(x: number, y: number, out: Uint8Array): void {
    const { crop, mask, face } = this.#slot;
    const inCrop = nearest(y, CROP_SIZE) * CROP_SIZE + nearest(x, CROP_SIZE);
    const scale = this.#faceSize / CROP_SIZE;
    const inFace = (v: number) => nearest((v + 0.5) * scale - 0.5, this.#faceSize);
    const hidden = mask[inCrop] !== 0;
    const source = hidden ? face : crop;
    const at = hidden ? inFace(y) * this.#faceSize + inFace(x) : inCrop;
    for (let c = 0; c < 3; c++) out[c] = source[4 * at + c]!;
  }

  /**
   * The whole picture, as the generator's own inputs are: [−1, 1], a face with detail at half its size.
   * @param picture 3×128×128 @param mask 128×128, 1 where the face is generated
   */
  planar(picture: Float32Array, mask: Float32Array): void {
    const area = CROP_SIZE * CROP_SIZE;
    const scale = Math.round(this.#faceSize / CROP_SIZE);
    const whole = scale >= 1 && scale * CROP_SIZE === this.#faceSize;
    const rgb = new Uint8Array(3);
    for (let p = 0; p < area; p++) {
      const [x, y] = [p % CROP_SIZE, Math.floor(p / CROP_SIZE)];
      const hidden = this.#slot.mask[p] !== 0;
      mask[p] = hidden ? 1 : 0;
      if (!hidden || !whole) {
        this.read(x, y, rgb);
        for (let c = 0; c < 3; c++) picture[c * area + p] = rgb[c]! / 127.5 - 1;
        continue;
      }
      for (let c = 0; c < 3; c++) {
        let sum = 0;
        for (let v = y * scale; v < (y + 1) * scale; v++)
          for (let u = x * scale; u < (x + 1) * scale; u++) sum += this.#slot.face[4 * (v * this.#faceSize + u) + c]!;
        picture[c * area + p] = sum / scale ** 2 / 127.5 - 1;
      }
    }
  }

  /** For those who look at luma only: its chroma is neutral. */
  gray(): Picture {
    const { byteLength } = planeLayout(CROP_SIZE, CROP_SIZE);
    const planes = new Uint8Array(byteLength).fill(128);
    const rgb = new Uint8Array(3);
    for (let y = 0; y < CROP_SIZE; y++) {
      for (let x = 0; x < CROP_SIZE; x++) {
        this.read(x, y, rgb);
        planes[y * CROP_SIZE + x] = Math.round(0.299 * rgb[0]! + 0.587 * rgb[1]! + 0.114 * rgb[2]!);
      }
    }
    return { planes, format: FORMAT };
  }
}
