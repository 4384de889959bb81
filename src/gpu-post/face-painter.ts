import { type Affine, CROP_SIZE } from '../core/face-track.ts';
import { type PictureFormat, planeLayout } from '../core/video-frame.ts';
import type { Composer } from './composer.ts';
import type { Texture } from './texture.ts';

const WEIGHTS = { bt601: [0.299, 0.114], bt709: [0.2126, 0.0722], bt2020: [0.2627, 0.0593] } as const;
/** Targets grow in steps, so that a moving face does not make a new texture each frame. */
const STEP = 64;

/** Draws a finished canonical face into I420 planes at the picture's resolution. Only samples under the mask change. */
export class FacePainter {
  readonly #composer: Composer;
  #target: Texture | undefined;
  #pixels = new Uint8Array();

  constructor(composer: Composer) {
    this.#composer = composer;
  }

  paint(face: Texture, toPicture: Affine, planes: Uint8Array, format: PictureFormat): void {
    const box = bounds(toPicture, format);
    if (!box) return;
    const { x, y, width, height } = box;
    const target = this.#targetFor(width, height);
    const det = toPicture.a * toPicture.e - toPicture.b * toPicture.d;
    const [a, b, d, e] = [toPicture.e / det, -toPicture.b / det, -toPicture.d / det, toPicture.a / det];
    const [dx, dy] = [x - toPicture.c, y - toPicture.f];
    const [kr, kb] = WEIGHTS[format.colour.matrix];
    this.#composer.draw(
      'composite',
      target,
      {
        textures: { face },
        floats: {
          toU: [a, b, a * dx + b * dy],
          toV: [d, e, d * dx + e * dy],
          luma: [kr, kb, format.colour.range === 'full' ? 1 : 0],
        },
      },
      width,
      height,
    );
    target.read(this.#pixels, width, height);
    this.#composer.check();
    blend(this.#pixels, box, planes, format);
  }

  #targetFor(width: number, height: number): Texture {
    const old = this.#target;
    if (old && old.width >= width && old.height >= height) {
      return old;
    }
    const w = Math.max(old?.width ?? 0, Math.ceil(width / STEP) * STEP);
    const h = Math.max(old?.height ?? 0, Math.ceil(height / STEP) * STEP);
    if (old) this.#composer.release(old);
    this.#target = this.#composer.texture(w, h, 'rgba8');
    this.#pixels = new Uint8Array(w * h * 4);
    return this.#target;
  }
}

interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** The crop's bounding box in the picture, on even coordinates, cut at the picture's edge. */
function bounds(t: Affine, format: PictureFormat): Box | undefined {
  const corners = [0, CROP_SIZE - 1].flatMap((u) =>
    [0, CROP_SIZE - 1].map((v) => [t.a * u + t.b * v + t.c, t.d * u + t.e * v + t.f] as const),
  );
  const xs = corners.map((c) => c[0]);
  const ys = corners.map((c) => c[1]);
  const x = Math.max(0, Math.floor(Math.min(...xs) / 2) * 2);
  const y = Math.max(0, Math.floor(Math.min(...ys) / 2) * 2);
  const width = Math.min(format.width, Math.ceil(Math.max(...xs)) + 2) - x;
  const height = Math.min(format.height, Math.ceil(Math.max(...ys)) + 2) - y;
  return width > 0 && height > 0 ? { x, y, width, height } : undefined;
}

function blend(pixels: Uint8Array, box: Box, planes: Uint8Array, format: PictureFormat): void {
  const { width: stride, chromaWidth, cbOffset, crOffset } = planeLayout(format.width, format.height);
  const { x, y, width, height } = box;
  for (let j = 0; j < height; j++) {
    let from = j * width * 4;
    let to = (y + j) * stride + x;
    for (let i = 0; i < width; i++, from += 4, to++) {
      const alpha = pixels[from + 3]!;
      if (alpha === 0) continue;
      planes[to] = alpha === 255 ? pixels[from]! : (pixels[from]! * alpha + planes[to]! * (255 - alpha) + 127) / 255;
    }
  }
  // A chroma sample belongs to four luma samples, and takes the strongest cover of the four.
  for (let j = 0; j < height; j += 2) {
    for (let i = 0; i < width; i += 2) {
      let alpha = 0;
      let weight = 0;
      let cb = 0;
      let cr = 0;
      for (let k = 0; k < 4; k++) {
        const px = i + (k & 1);
        const py = j + (k >> 1);
        if (px >= width || py >= height) continue;
        const at = (py * width + px) * 4;
        const a = pixels[at + 3]!;
        alpha = Math.max(alpha, a);
        weight += a;
        cb += a * pixels[at + 1]!;
        cr += a * pixels[at + 2]!;
      }
      if (alpha === 0) continue;
      const to = ((y + j) >> 1) * chromaWidth + ((x + i) >> 1);
      const rest = 255 - alpha;
      planes[cbOffset + to] = ((cb / weight) * alpha + planes[cbOffset + to]! * rest + 127) / 255;
      planes[crOffset + to] = ((cr / weight) * alpha + planes[crOffset + to]! * rest + 127) / 255;
    }
  }
}
