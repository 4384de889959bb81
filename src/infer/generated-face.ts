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
