import { planeLayout } from '../../core/video-frame.ts';
import type { Picture } from '../../core/vision.ts';
import { CROP } from '../face-crop.ts';

const AREA = CROP * CROP;
const COLOUR = { matrix: 'bt601', range: 'full' } as const;

/** Attack 9: the mean of a FaceTrack's frames, aligned in the canonical crop. What changes from frame to frame goes. */
export class FrameMean {
  readonly #sum = new Float64Array(3 * AREA);
  readonly #points = new Float64Array(136);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** @param crop 3·128² numbers in [0, 1], interleaved; @param points 136 numbers, pixels of that crop */
  add(crop: Float32Array, points: Float32Array): void {
    for (let i = 0; i < this.#sum.length; i++) this.#sum[i]! += crop[i]!;
    for (let i = 0; i < 136; i++) this.#points[i]! += points[i]!;
    this.#count++;
  }

  get points(): Float32Array {
    return Float32Array.from(this.#points, (v) => v / this.#count);
  }

  /** The mean as an I420 picture of 128², for judges that take pictures. */
  picture(): Picture {
    const { chromaWidth, cbOffset, crOffset, byteLength } = planeLayout(CROP, CROP);
    const planes = new Uint8Array(byteLength);
    const [cb, cr] = [new Float64Array(chromaWidth ** 2), new Float64Array(chromaWidth ** 2)];
    for (let p = 0; p < AREA; p++) {
      const [r, g, b] = [0, 1, 2].map((c) => (255 * this.#sum[3 * p + c]!) / this.#count) as [number, number, number];
      const y = 0.299 * r + 0.587 * g + 0.114 * b;
      planes[p] = Math.round(y);
      const at = (Math.floor(p / CROP) >> 1) * chromaWidth + ((p % CROP) >> 1);
      cb[at]! += (b - y) / 1.772 / 4;
      cr[at]! += (r - y) / 1.402 / 4;
    }
    for (let i = 0; i < cb.length; i++) {
      planes[cbOffset + i] = Math.max(0, Math.min(255, Math.round(128 + cb[i]!)));
      planes[crOffset + i] = Math.max(0, Math.min(255, Math.round(128 + cr[i]!)));
    }
    return { planes, format: { width: CROP, height: CROP, colour: COLOUR } };
  }
}
