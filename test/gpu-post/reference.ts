/** The passes of gpu-post in plain float64, to hold the shaders against. Colours in [0, 1]. */

export class Field {
  readonly size: number;
  readonly channels: number;
  readonly data: Float64Array;

  constructor(size: number, channels: number, fill?: (x: number, y: number, c: number) => number) {
    this.size = size;
    this.channels = channels;
    this.data = new Float64Array(size * size * channels);
    if (!fill) return;
    for (let y = 0; y < size; y++)
      for (let x = 0; x < size; x++)
        for (let c = 0; c < channels; c++) this.data[(y * size + x) * channels + c] = fill(x, y, c);
  }

  static fromBytes(bytes: Uint8Array, size: number, stride: number, channels: number): Field {
    return new Field(size, channels, (x, y, c) => bytes[(y * size + x) * stride + c]! / 255);
  }

  at(x: number, y: number, c: number): number {
    const clamp = (i: number) => Math.max(0, Math.min(this.size - 1, i));
    return this.data[(clamp(y) * this.size + clamp(x)) * this.channels + c]!;
  }

  /** Linear interpolation; u and v in [0, 1] from edge to edge. */
  sample(u: number, v: number, c: number): number {
    const [x, y] = [u * this.size - 0.5, v * this.size - 0.5];
    const [i, j] = [Math.floor(x), Math.floor(y)];
    const [fx, fy] = [x - i, y - j];
    const top = this.at(i, j, c) * (1 - fx) + this.at(i + 1, j, c) * fx;
    const bottom = this.at(i, j + 1, c) * (1 - fx) + this.at(i + 1, j + 1, c) * fx;
    return top * (1 - fy) + bottom * fy;
  }
}

export const clamp01 = (x: number) => Math.max(0, Math.min(1, x));
const lumaOf = (r: number, g: number, b: number) => 0.299 * r + 0.587 * g + 0.114 * b;
const luma = (f: Field, u: number, v: number) => lumaOf(f.sample(u, v, 0), f.sample(u, v, 1), f.sample(u, v, 2));

export interface Regions {
  readonly leftEye: readonly number[];
  readonly rightEye: readonly number[];
  readonly mouth: readonly number[];
  readonly browY: number;
}

/** 64²: weight for the light, for the statistics of chroma, for the contrast. */
export function skin(mask: Field, regions: Regions): Field {
  const within = (e: readonly number[], x: number, y: number) =>
    ((x - e[0]!) / e[2]!) ** 2 + ((y - e[1]!) / e[3]!) ** 2 < 1;
  return new Field(64, 3, (x, y, c) => {
    const [px, py] = [2 * x + 0.5, 2 * y + 0.5];
    const inside = mask.sample((x + 0.5) / 64, (y + 0.5) / 64, 0);
    const feature = [regions.leftEye, regions.rightEye, regions.mouth].some((e) => within(e, px, py));
    if (c === 0) return inside >= 0.5 ? (feature ? 0.02 : 1) : 0;
    return inside >= 0.99 && !(feature && c === 1) && py >= regions.browY ? 1 : 0;
  });
}

/** 32²: log luminance of crop and face over skin, low-passed; weights last. @param sigma in units of the field's side */
export function light(crop: Field, face: Field, weights: Field, sigma: number): Field {
  const raw = new Field(32, 3, (x, y, c) => {
    let sum = 0;
    for (let j = 0; j < 2; j++) {
      for (let i = 0; i < 2; i++) {
        const [u, v] = [(2 * x + i + 0.5) / 64, (2 * y + j + 0.5) / 64];
        const value = c === 2 ? 1 : Math.log(luma(c === 0 ? crop : face, u, v) + 0.02);
        sum += weights.at(2 * x + i, 2 * y + j, 0) * value;
      }
    }
    return sum / 4;
  });
  return blur(blur(raw, sigma, 0), 0, sigma);
}

function blur(source: Field, dx: number, dy: number): Field {
  return new Field(source.size, source.channels, (x, y, c) => {
    let sum = 0;
    let total = 0;
    for (let i = -7; i <= 7; i++) {
      const t = (3 * i) / 7;
      const w = Math.exp(-0.5 * t * t);
      sum += w * source.sample((x + 0.5) / source.size + t * dx, (y + 0.5) / source.size + t * dy, c);
      total += w;
    }
    return sum / total;
  });
}

export function bilateral(crop: Field, face: Field, sigma: number, range: number): Field {
  return new Field(128, 3, (x, y, c) => {
    if (c === 2) return 1;
    const source = c === 0 ? crop : face;
    const [u, v] = [(x + 0.5) / 128, (y + 0.5) / 128];
    const here = luma(source, u, v);
    let sum = 0;
    let total = 0;
    for (let j = -6; j <= 6; j++) {
      for (let i = -6; i <= 6; i++) {
        const there = luma(source, u + (i / 3) * sigma, v + (j / 3) * sigma);
        const w = Math.exp((-0.5 * (i * i + j * j)) / 9 - (0.5 * (there - here) ** 2) / range ** 2);
        sum += w * there;
        total += w;
      }
    }
    return Math.log(sum / total + 0.02);
  });
}

export function relight(face: Field, shading: Field): Field {
  return new Field(face.size, 3, (x, y, c) => {
    const [u, v] = [(x + 0.5) / face.size, (y + 0.5) / face.size];
    const [o, g, w] = [0, 1, 2].map((k) => shading.sample(u, v, k)) as [number, number, number];
    const ratio = Math.max(-1.1, Math.min(1.1, (o - g) / Math.max(w, 1e-3)));
    return clamp01(face.at(x, y, c) * Math.exp(ratio));
  });
}

/** Laplacian pyramids of both faces down to 8², base exchanged, put together again; not clamped. */
export function substituteBase(crop: Field, lit: Field): Field {
  const gaussian = (field: Field): Field[] => {
    const levels = [field];
    while (levels.at(-1)!.size > 8) levels.push(reduce(levels.at(-1)!));
    return levels;
  };
  const wide = new Field(lit.size, 3, (x, y, c) => crop.sample((x + 0.5) / lit.size, (y + 0.5) / lit.size, c));
  const generated = gaussian(lit);
  let result = gaussian(wide).at(-1)!;
  for (const level of generated.slice(0, -1).reverse()) {
    const coarser = expand(reduce(level));
    const base = expand(result);
    result = new Field(level.size, 3, (x, y, c) => level.at(x, y, c) - coarser.at(x, y, c) + base.at(x, y, c));
  }
  return result;
}

export const pyramidLevels = (size: number): number => Math.log2(size / 8) + 1;

const KERNEL = [1 / 8, 3 / 8, 3 / 8, 1 / 8];

function reduce(field: Field): Field {
  return new Field(field.size / 2, field.channels, (x, y, c) => {
    let sum = 0;
    for (let j = 0; j < 4; j++)
      for (let i = 0; i < 4; i++) sum += KERNEL[i]! * KERNEL[j]! * field.at(2 * x - 1 + i, 2 * y - 1 + j, c);
    return sum;
  });
}

/** The same kernel with zeros between the samples, times four. */
function expand(field: Field): Field {
  const nearest = (i: number) => [i >> 1, i & 1 ? (i >> 1) + 1 : (i >> 1) - 1] as const;
  return new Field(field.size * 2, field.channels, (x, y, c) => {
    const [x0, x1] = nearest(x);
    const [y0, y1] = nearest(y);
    const row = (j: number) => 0.75 * field.at(x0, j, c) + 0.25 * field.at(x1, j, c);
    return 0.75 * row(y0) + 0.25 * row(y1);
  });
}

export const NO_TRANSFER = [1, 1, 0, 0, 0, 0, 1, 1];

const chroma = (r: number, g: number, b: number) => [
  -0.168736 * r - 0.331264 * g + 0.5 * b,
  0.5 * r - 0.418688 * g - 0.081312 * b,
];

/** Scale of Cb, Cr, offset of Cb, Cr, mean of the generated skin's Cb, Cr and its deviations, from 64² samples of skin. */
export function chromaTransfer(crop: Field, blended: Field, weights: Field, shading: Field, relit: boolean): number[] {
  const samples: { w: number; c: number }[][] = [[], [], [], []];
  for (let y = 0; y < 64; y++) {
    for (let x = 0; x < 64; x++) {
      if (weights.at(x, y, 1) === 0) continue;
      const [u, v] = [(x + 0.5) / 64, (y + 0.5) / 64];
      const around = [0, 1].map((k) => shading.sample(u, v, k) / Math.max(shading.sample(u, v, 2), 1e-3));
      [crop, blended].forEach((picture, k) => {
        const rgb = [0, 1, 2].map((c) => clamp01(picture.sample(u, v, c))) as [number, number, number];
        const dark = Math.log(lumaOf(...rgb) + 0.02) < around[k === 1 && !relit ? 1 : 0]! - 0.5;
        const [cb, cr] = chroma(...rgb) as [number, number];
        samples[2 * k]!.push({ w: dark ? 0 : 1, c: cb });
        samples[2 * k + 1]!.push({ w: dark ? 0 : 1, c: cr });
      });
    }
  }
  const moments = samples.map((list) => {
    const weight = list.reduce((sum, s) => sum + s.w, 0);
    const mean = list.reduce((sum, s) => sum + s.w * s.c, 0) / weight;
    return { mean, sd: Math.sqrt(list.reduce((sum, s) => sum + s.w * (s.c - mean) ** 2, 0) / weight) };
  });
  const scale = [0, 1].map((k) => Math.max(0.5, Math.min(2, moments[k]!.sd / Math.max(moments[k + 2]!.sd, 1e-3))));
  const offset = [0, 1].map((k) => moments[k]!.mean - scale[k]! * moments[k + 2]!.mean);
  const skin = [moments[2]!, moments[3]!];
  return [...scale, ...offset, ...skin.map((m) => m.mean), ...skin.map((m) => m.sd)];
}

/** Root mean square of log luminance over the light on the face, no further from it than 1: original's over blended face's, within [0.4, 1.25], and from 0.55 on towards 1. */
export function contrastGain(crop: Field, blended: Field, weights: Field, shading: Field, relit: boolean): number {
  const [original, generated] = [crop, blended].map((picture, k) => {
    let sum = 0;
    for (let i = 0; i < 64 * 64; i++) {
      if (weights.data[3 * i + 2] === 0) continue;
      const [u, v] = [((i % 64) + 0.5) / 64, ((i >> 6) + 0.5) / 64];
      const rgb = [0, 1, 2].map((c) => clamp01(picture.sample(u, v, c))) as [number, number, number];
      sum += Math.max(-1, Math.min(1, overLight(shading, k === 0 || relit, lumaOf(...rgb), u, v))) ** 2;
    }
    return sum;
  }) as [number, number];
  const ratio = Math.max(0.4, Math.min(1.25, Math.sqrt(original / generated)));
  const t = clamp01((ratio - 0.55) / 0.3);
  return ratio < 1 ? ratio + (1 - ratio) * t * t * (3 - 2 * t) : ratio;
}

/** 1 within 1.5 deviations of the skin's mean chroma, fading beyond. */
export function skinLike(
  [, , , , mb, mr, db, dr]: number[],
  slope = 0.5,
  least = 0.012,
): (rgb: readonly number[]) => number {
  return (rgb) => {
    const [cb, cr] = chroma(...(rgb as [number, number, number])) as [number, number];
    const distance = Math.hypot((cb - mb!) / Math.max(db!, least), (cr - mr!) / Math.max(dr!, least));
    return Math.exp(-slope * Math.max(0, distance - 1.5) ** 2);
  };
}

const smoothstep = (from: number, to: number, x: number) => {
  const t = clamp01((x - from) / (to - from));
  return t * t * (3 - 2 * t);
};

/** Log luminance over the light that lies on the face. @param relit the face has the original's light */
function overLight(shading: Field, relit: boolean, l: number, u: number, v: number): number {
  return Math.log(l + 0.02) - shading.sample(u, v, relit ? 0 : 1) / Math.max(shading.sample(u, v, 2), 1e-5);
}

/**
 * The transfer, in full within 1.5 deviations of the skin's mean chroma and fading beyond. Towards the face's edge, below the brows, nothing is more than
 * 0.35 (natural logarithm) brighter than the light there, and what was has the skin's mean chroma. Then luminance is `gain` times as far from the light in
 * logarithms, and what has another chroma than skin that much nearer to it when it is less than 1.
 * @param transfer NO_TRANSFER: the face keeps its chroma, and what is bright at its edge
 */
export function recolour(
  blended: Field,
  transfer: number[],
  shading: Field,
  relit: boolean,
  browY: number,
  gain: number,
): Field {
  const [sb, sr, ob, or, mb, mr] = transfer as [number, number, number, number, number, number];
  const like = skinLike(transfer);
  const n = blended.size;
  return new Field(n, 3, (x, y, c) => {
    const rgb = [0, 1, 2].map((k) => clamp01(blended.at(x, y, k))) as [number, number, number];
    const [u, v] = [(x + 0.5) / n, (y + 0.5) / n];
    const skin = shading.sample(u, v, 2);
    const edge =
      smoothstep(0.15, 0.4, skin) * (1 - smoothstep(0.7, 1, skin)) * smoothstep(browY - 4, browY + 4, 128 * v);
    const bright = Math.max(0, overLight(shading, relit, lumaOf(...rgb), u, v) - 0.35) * edge;
    const excess = transfer === NO_TRANSFER ? 0 : bright;
    const matched = lumaOf(...rgb) * Math.exp(-excess);
    const g = 1 + (gain - 1) * smoothstep(0.05, 0.25, skin);
    const l = Math.max(0, (matched + 0.02) * Math.exp((g - 1) * overLight(shading, relit, matched, u, v)) - 0.02);
    const [cb, cr] = chroma(...rgb) as [number, number];
    const share = like(rgb);
    const mean = 1 - Math.exp(-3 * excess ** 2);
    const mixed = (own: number, scale: number, offset: number, middle: number) => {
      const pale = middle + Math.min(g, 1) * (own - middle);
      const moved = pale + share * (own * scale + offset - pale);
      return moved + mean * (middle * scale + offset - moved);
    };
    const kb = mixed(cb, sb, ob, mb);
    const kr = mixed(cr, sr, or, mr);
    return clamp01([l + 1.402 * kr, l - 0.344136 * kb - 0.714136 * kr, l + 1.772 * kb][c]!);
  });
}

/** Means of 2×2. */
export function halve(field: Field): Field {
  return new Field(field.size / 2, field.channels, (x, y, c) => {
    const row = (j: number) => field.at(2 * x, j, c) + field.at(2 * x + 1, j, c);
    return (row(2 * y) + row(2 * y + 1)) / 4;
  });
}

/** Alpha of a binary mask: the share of mask in 5×5, 0 up to one half, 1 from 85 %, and fading over 2 pixels to the edge. */
export function alpha(mask: Field): Field {
  return new Field(mask.size, 1, (x, y) => {
    let sum = 0;
    for (let j = -2; j <= 2; j++) for (let i = -2; i <= 2; i++) sum += mask.at(x + i, y + j, 0);
    const last = mask.size - 1;
    return Math.min(clamp01((sum / 25 - 0.5) / 0.35), Math.min(x, y, last - x, last - y) / 2);
  });
}

/** The face over time: averaged where its neighbourhood changes by less than 6 of 255, taken as it is above 20. */
export function steady(previous: Field, face: Field, least: number): Field {
  const n = face.size;
  const at = (f: Field, x: number, y: number, c: number) => f.sample((x + 0.5) / n, (y + 0.5) / n, c);
  return new Field(n, 3, (x, y, c) => {
    let change = 0;
    for (const [dx, dy] of [
      [0.75, 0.75],
      [-0.75, -0.75],
      [0.75, -0.75],
    ] as const)
      for (const k of [0, 1, 2])
        change = Math.max(change, Math.abs(at(face, x + dx, y + dy, k) - at(previous, x + dx, y + dy, k)));
    const t = clamp01((change - 6 / 255) / (14 / 255));
    const share = least + (1 - least) * t * t * (3 - 2 * t);
    return at(previous, x, y, c) + share * (at(face, x, y, c) - at(previous, x, y, c));
  });
}

/**
 * What lies beside the face, grown in from around the mask (push and pull); channel 3: how far inside the generated face's outline.
 * @param hull the generated face's outline filled, one channel @param eyesY row below which this counts, canonical pixels
 */
export function surroundings(crop: Field, mask: Field, hull: Field, eyesY: number): Field {
  const n = crop.size;
  const known = new Field(n, 4, (x, y, c) => (mask.at(x, y, 0) === 0 ? (c === 3 ? 1 : crop.at(x, y, c)) : 0));
  const grown = expand(grow(pulled(known)));
  return new Field(n, 4, (x, y, c) => {
    if (c < 3) return grown.at(x, y, c);
    let inside = 0;
    for (let j = -3; j <= 3; j++) for (let i = -3; i <= 3; i++) inside += hull.at(x + i, y + j, 0) / 49;
    // Handed over in bytes, and the edge of a face is steep.
    return Math.round(255 * (1 - clamp01((y - eyesY + 8) / 16) * (1 - inside))) / 255;
  });
}

function pulled(level: Field): Field {
  const sum = (x: number, y: number, c: number) =>
    level.at(2 * x, 2 * y, c) +
    level.at(2 * x + 1, 2 * y, c) +
    level.at(2 * x, 2 * y + 1, c) +
    level.at(2 * x + 1, 2 * y + 1, c);
  return new Field(level.size / 2, 4, (x, y, c) => sum(x, y, c) / Math.max(1, sum(x, y, 3)));
}

/** Colour times weight, and weight -> colour everywhere. */
function grow(level: Field): Field {
  const n = level.size;
  if (n === 4) {
    const total = [0, 1, 2, 3].map((c) => level.data.reduce((sum, v, i) => sum + (i % 4 === c ? v : 0), 0));
    return new Field(n, 3, (x, y, c) => level.at(x, y, c) + ((1 - level.at(x, y, 3)) * total[c]!) / total[3]!);
  }
  const coarser = expand(grow(pulled(level)));
  return new Field(n, 3, (x, y, c) => level.at(x, y, c) + (1 - level.at(x, y, 3)) * coarser.at(x, y, c));
}

/**
 * Chroma as in `skinLike`, and luma: 1 up to 0.45 (natural logarithm) brighter than the light that lies on the face, fading beyond.
 * @param relit the face has the original's light
 */
export function faceLike(
  transfer: number[],
  shading: Field,
  relit: boolean,
): (rgb: readonly number[], u: number, v: number) => number {
  const like = skinLike(transfer, 0.08, 0.02);
  return (rgb, u, v) => {
    const over = overLight(shading, relit, lumaOf(...(rgb as [number, number, number])), u, v);
    const brighter = 10 * Math.max(0, over - 0.45);
    return like(rgb) * Math.exp(-0.08 * brighter ** 2);
  };
}

/** `face` over what lies beside it, at its edge where it is not like skin. @param like 1 on skin, 0 far from it */
export function beside(
  face: Field,
  unfinished: Field,
  around: Field,
  like: (rgb: readonly number[], u: number, v: number) => number,
): Field {
  const n = face.size;
  const off = [-1, 1].map((d) => d / 256);
  return new Field(n, 3, (x, y, c) => {
    const [u, v] = [(x + 0.5) / n, (y + 0.5) / n];
    const near = [0, 1, 2].map((k) => {
      let sum = 0;
      for (const j of off) for (const i of off) sum += clamp01(unfinished.sample(u + i, v + j, k));
      return sum / 4;
    });
    const t = clamp01((around.sample(u, v, 3) - 0.6) / 0.4);
    const edge = t * t * (3 - 2 * t);
    const own = around.sample(u, v, 3) < 1 ? edge + like(near, u, v) * (1 - edge) : 1;
    return around.sample(u, v, c) * (1 - own) + clamp01(face.at(x, y, c)) * own;
  });
}
