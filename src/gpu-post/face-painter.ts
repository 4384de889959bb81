import { type Affine, CROP_SIZE } from '../core/face-track.ts';
import type { PictureFormat } from '../core/video-frame.ts';
import type { Composer } from './composer.ts';
import type { Grain } from './grain.ts';
import { type Box, blendPlanes } from './plane-blend.ts';
import type { Extent } from './soft-mask.ts';
import type { Texture } from './texture.ts';

const WEIGHTS = { bt601: [0.299, 0.114], bt709: [0.2126, 0.0722], bt2020: [0.2627, 0.0593] } as const;
/** Targets grow in steps, so that a moving face does not make a new texture each frame. */
const STEP = 64;
/** Picture pixels per texel below which the face is halved first. */
const SHRINK_BELOW = 0.75;
const MIN_SIDE = 16;
type Four = [number, number, number, number];

export interface PaintedFace {
  readonly face: Texture;
  /** Where the face's alpha is not 0: nothing else is drawn. */
  readonly extent: Extent;
  readonly grain: Grain;
}

/** Draws a finished canonical face into I420 planes at the picture's resolution. Only samples under the mask change. */
export class FacePainter {
  readonly #composer: Composer;
  #target: Texture | undefined;
  #bytes = new Uint8Array();
  #pixels = new Uint32Array();
  readonly #halves: Texture[] = [];

  constructor(composer: Composer) {
    this.#composer = composer;
  }

  paint({ face, extent, grain }: PaintedFace, toPicture: Affine, planes: Uint8Array, format: PictureFormat): void {
    const box = bounds(extent, toPicture, format);
    if (!box) return;
    const { x, y, width, height } = box;
    const target = this.#targetFor(width, height);
    const det = toPicture.a * toPicture.e - toPicture.b * toPicture.d;
    const scale = 1 / CROP_SIZE;
    const [a, b, d, e] = [toPicture.e, -toPicture.b, -toPicture.d, toPicture.a].map((m) => (m / det) * scale) as Four;
    // gl_FragCoord and texture coordinates both count from the corner of a texel, half a pixel before its centre.
    const [dx, dy] = [x - 0.5 - toPicture.c, y - 0.5 - toPicture.f];
    this.#composer.draw(
      'composite',
      target,
      {
        textures: { face: this.#shrunk(face, Math.sqrt(Math.abs(det))) },
        floats: {
          toU: [a, b, a * dx + b * dy + 0.5 * scale],
          toV: [d, e, d * dx + e * dy + 0.5 * scale],
        },
        matrices: { convert: toYcc(format) },
      },
      width,
      height,
    );
    target.read(this.#bytes, width, height);
    this.#composer.check();
    grain.look(planes, format.width, format.height, box, this.#bytes);
    blendPlanes(this.#pixels, box, planes, format, grain);
  }

  /** The face, halved until a picture's pixel is no wider than a texel: a small face would flicker otherwise. */
  #shrunk(face: Texture, scale: number): Texture {
    let source = face;
    for (let i = 0; scale * CROP_SIZE < SHRINK_BELOW * source.width && source.width > MIN_SIDE; i++) {
      const size = source.width / 2;
      this.#halves[i] ??= this.#composer.texture(size, size, 'rgba8', { filter: 'linear' });
      this.#composer.draw('halve', this.#halves[i]!, { textures: { source }, floats: { size } });
      source = this.#halves[i]!;
    }
    return source;
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
    this.#pixels = new Uint32Array(w * h);
    this.#bytes = new Uint8Array(this.#pixels.buffer);
    return this.#target;
  }
}

/** The face's bounding box in the picture, on even coordinates, cut at the picture's edge. */
function bounds(extent: Extent, t: Affine, format: PictureFormat): Box | undefined {
  // Interpolation carries alpha one texel further, and the texels of a small face have been halved.
  const margin = Math.max(1, 1.5 / Math.sqrt(Math.abs(t.a * t.e - t.b * t.d)));
  const corners = [extent.x0 - margin, extent.x1 + margin].flatMap((u) =>
    [extent.y0 - margin, extent.y1 + margin].map((v) => [t.a * u + t.b * v + t.c, t.d * u + t.e * v + t.f] as const),
  );
  const xs = corners.map((c) => c[0]);
  const ys = corners.map((c) => c[1]);
  const x = Math.max(0, Math.floor(Math.min(...xs) / 2) * 2);
  const y = Math.max(0, Math.floor(Math.min(...ys) / 2) * 2);
  const width = Math.min(format.width, Math.ceil(Math.max(...xs)) + 2) - x;
  const height = Math.min(format.height, Math.ceil(Math.max(...ys)) + 2) - y;
  return width > 0 && height > 0 ? { x, y, width, height } : undefined;
}

/** Column-major: gamma-coded RGB in [0, 1] to the picture's Y'CbCr as bytes over 255. */
function toYcc({ colour }: PictureFormat): number[] {
  const [kr, kb] = WEIGHTS[colour.matrix];
  const kg = 1 - kr - kb;
  const [offset, luma, chroma] = colour.range === 'full' ? [0, 1, 1] : [16 / 255, 219 / 255, 224 / 255];
  const [b, r] = [chroma / (2 * (1 - kb)), chroma / (2 * (1 - kr))];
  return [
    ...[luma * kr, -b * kr, r * (1 - kr), 0],
    ...[luma * kg, -b * kg, -r * kg, 0],
    ...[luma * kb, b * (1 - kb), -r * kb, 0],
    ...[offset, 128 / 255, 128 / 255, 1],
  ];
}
