import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { faceOutline, rasteriseMask } from '../../src/core/face-mask.ts';
import { CROP_SIZE } from '../../src/core/face-track.ts';
import { Composer } from '../../src/gpu-post/composer.ts';
import { FacePainter } from '../../src/gpu-post/face-painter.ts';
import { eyeDistance, featureRegions } from '../../src/gpu-post/feature-ellipses.ts';
import { createGl } from '../../src/gpu-post/gl-context.ts';
import { Grain } from '../../src/gpu-post/grain.ts';
import { type FaceState, Photometry } from '../../src/gpu-post/photometry.ts';
import type { PhotometryOptions } from '../../src/gpu-post/photometry-options.ts';
import { levelSizes } from '../../src/gpu-post/pyramid-base.ts';
import { COLOUR_RATE } from '../../src/gpu-post/running-state.ts';
import { STEADY_SHARE } from '../../src/gpu-post/steady-face.ts';
import { XDisplay } from '../../src/gpu-post/x-display.ts';
import { PictureSampler } from '../../src/infer/sample.ts';
import { demoPhoto } from '../support/demo-photo.ts';
import * as reference from './reference.ts';

/** The contract's tolerance, of 255. */
const TOLERANCE = 2;
const AREA = CROP_SIZE * CROP_SIZE;

interface Face {
  readonly crop: Uint8Array;
  readonly mask: Uint8Array;
  readonly face: Uint8Array;
}

/** Photograph 3 has faces at these places: one is the original, another stands in for the generated face. */
const ORIGINAL = { x: 650, y: 60, scale: 1.3 };
const STAND_IN = { x: 330, y: 110, scale: 1.5 };
const photo = demoPhoto(3);

function square(place: typeof ORIGINAL, size: number, gain = 1): Uint8Array {
  const step = (place.scale * CROP_SIZE) / size;
  const planar = new Float32Array(3 * size * size);
  const sampling = { a: step, b: 0, c: place.x, d: 0, e: step, f: place.y };
  new PictureSampler(size, size).rgb(photo, sampling, planar, 0, gain);
  return Uint8Array.from({ length: 4 * size * size }, (_, i) =>
    i % 4 === 3 ? 255 : Math.min(255, planar[(i % 4) * size * size + (i >> 2)]!),
  );
}

function slotOf(size: number, gain = 1): Face {
  const mask = Uint8Array.from({ length: AREA }, (_, i) =>
    Math.hypot(((i % CROP_SIZE) - 64) / 40, ((i >> 7) - 62) / 52) < 1 ? 255 : 0,
  );
  return { crop: square(ORIGINAL, CROP_SIZE, gain), mask, face: square(STAND_IN, size) };
}

const EYES_Y = 54;
/** Nobody near, and the picture's edge far away. */
const ALONE = { toPicture: { a: 1, b: 0, c: 400, d: 0, e: 1, f: 400 }, width: 1000, height: 1000, others: [] };
const points = (shift: number) => {
  const p = new Float32Array(140).fill(64);
  const at = (i: number, x: number, y: number) => p.set([x + shift, y], 2 * i);
  for (let i = 0; i < 17; i++) at(i, 64 - 38 * Math.cos((Math.PI * i) / 16), 60 + 50 * Math.sin((Math.PI * i) / 16));
  for (let i = 17; i < 27; i++) at(i, 34 + (i - 17) * 6.7, 46);
  const around = (i: number) => (Math.PI * i) / 3;
  for (let i = 36; i < 42; i++) at(i, 46 + 5 * Math.cos(around(i)), EYES_Y + 2 * Math.sin(around(i)));
  for (let i = 42; i < 48; i++) at(i, 82 + 5 * Math.cos(around(i)), EYES_Y + 2 * Math.sin(around(i)));
  for (let i = 48; i < 70; i++) at(i, 64 + 13 * Math.cos(i), 90 + 5 * Math.sin(i));
  return p;
};
const [own, driven] = [points(0), points(1.5)];

let composer: Composer;
beforeAll(async () => {
  process.env.LP_NUM_THREADS = '0';
  await XDisplay.open();
  composer = new Composer(createGl());
});
afterAll(() => composer.dispose());

interface Expected {
  readonly colour: reference.Field;
  readonly transfer: number[];
  readonly gain: number;
}

function expected(slot: Face, size: number, options: PhotometryOptions, before?: Expected): Expected {
  const crop = reference.Field.fromBytes(slot.crop, CROP_SIZE, 4, 3);
  const face = reference.Field.fromBytes(slot.face, size, 4, 3);
  const mask = reference.Field.fromBytes(slot.mask, CROP_SIZE, 1, 1);
  const weights = reference.skin(bytes(commonHull()), featureRegions(own, driven));
  const sigma = (options.sigmaInterocular * eyeDistance(own)) / CROP_SIZE;
  const shading =
    options.shading === 'bilateral'
      ? reference.bilateral(crop, face, sigma, options.sigmaRange ?? 1)
      : reference.light(crop, face, weights, sigma);
  const lit = options.relight ? reference.relight(face, shading) : face;
  const blended = options.pyramid ? reference.substituteBase(crop, lit) : lit;
  const relit = options.relight || options.pyramid === true;
  const now = options.colour ? reference.chromaTransfer(crop, blended, weights, shading, relit) : reference.NO_TRANSFER;
  const smoothed = (x: number, last: number | undefined) => (last === undefined ? x : last + COLOUR_RATE * (x - last));
  const transfer = options.colour ? now.map((x, i) => smoothed(x, before?.transfer[i])) : now;
  const isMatched = options.contrast !== false;
  const gain = isMatched ? smoothed(reference.contrastGain(crop, blended, weights, shading, relit), before?.gain) : 1;
  const around = reference.surroundings(crop, mask, bytes(filled(driven, 1)), EYES_Y);
  const like = reference.faceLike(transfer, shading, relit);
  const recoloured = reference.recolour(blended, transfer, shading, relit, featureRegions(own, driven).browY, gain);
  return { colour: reference.beside(recoloured, blended, around, like), transfer, gain };
}

const bytes = (mask: Uint8Array) => reference.Field.fromBytes(mask, CROP_SIZE, 1, 1);

function filled(of: Float32Array, dilation: number): Uint8Array {
  const mask = new Uint8Array(AREA);
  rasteriseMask([faceOutline(of)], mask, dilation);
  return mask;
}

function commonHull(): Uint8Array {
  const other = filled(driven, 0);
  return filled(own, 0).map((v, i) => v & other[i]!);
}

function drawn(slot: Face, size: number, options: PhotometryOptions, state?: FaceState): Uint8Array {
  const photometry = new Photometry(composer, size, options);
  const out = composer.texture(size, size, 'rgba8');
  photometry.run(slot, own, driven, state ?? photometry.newState(), out, ALONE);
  const pixels = new Uint8Array(4 * size * size);
  out.read(pixels);
  composer.check();
  return pixels;
}

/** Largest difference wherever the face is drawn. */
function worst(pixels: Uint8Array, colour: reference.Field): number {
  let largest = 0;
  for (let i = 0; i < colour.size ** 2; i++)
    for (let c = 0; c < 3 && pixels[4 * i + 3]! > 0; c++)
      largest = Math.max(largest, Math.abs(pixels[4 * i + c]! - 255 * colour.data[3 * i + c]!));
  return largest;
}

const OFF = { steady: false, relight: false, pyramid: false, colour: false, contrast: false, sigmaInterocular: 0.24 };
const ON = { ...OFF, relight: true, pyramid: true, colour: true, contrast: true };

describe('photometry on the GPU against float64', () => {
  const cases: [string, PhotometryOptions, number][] = [
    ['nothing', OFF, 128],
    ['relighting', { ...OFF, relight: true }, 128],
    ['relighting with a wide low-pass', { ...OFF, relight: true, sigmaInterocular: 0.6 }, 128],
    ['bilateral shading', { ...OFF, relight: true, shading: 'bilateral', sigmaInterocular: 0.4, sigmaRange: 0.5 }, 128],
    ['pyramid substitution', { ...OFF, pyramid: true }, 128],
    ['chroma transfer', { ...OFF, colour: true }, 128],
    ['contrast', { ...OFF, contrast: true }, 128],
    ['all', ON, 128],
    ['all at 256²', ON, 256],
  ];
  for (const [name, options, size] of cases) {
    it(`${name}: within ${TOLERANCE} of 255 wherever it is drawn`, () => {
      const slot = slotOf(size);
      const { colour } = expected(slot, size, options);
      expect(worst(drawn(slot, size, options), colour)).toBeLessThanOrEqual(TOLERANCE);
    });
  }

  it('changes the picture with every stage that is switched on', () => {
    const slot = slotOf(128);
    const plain = reference.Field.fromBytes(drawn(slot, 128, OFF), 128, 4, 3);
    for (const stage of ['relight', 'pyramid', 'colour'])
      expect(worst(drawn(slot, 128, { ...OFF, [stage]: true }), plain)).toBeGreaterThan(10);
  });

  it('lets a face behind haze stand out as little as the original does', () => {
    const slot = slotOf(128);
    const haze = { ...slot, crop: slot.crop.map((v, i) => (i % 4 === 3 ? v : 110 + 0.4 * v)) };
    const { browY } = featureRegions(own, driven);
    const hull = commonHull();
    /** Deviation of luma within the face, below the brows. */
    const deviation = (rgba: Uint8Array) => {
      const luma = [...hull.keys()]
        .filter((i) => hull[i] && i >> 7 > browY)
        .map((i) => 0.299 * rgba[4 * i]! + 0.587 * rgba[4 * i + 1]! + 0.114 * rgba[4 * i + 2]!);
      const mean = luma.reduce((sum, v) => sum + v, 0) / luma.length;
      return Math.sqrt(luma.reduce((sum, v) => sum + (v - mean) ** 2, 0) / luma.length);
    };
    const original = deviation(haze.crop);
    expect(deviation(drawn(haze, 128, { ...ON, contrast: false }))).toBeGreaterThan(2 * original);
    const matched = deviation(drawn(haze, 128, ON));
    expect(matched).toBeGreaterThan(0.75 * original);
    expect(matched).toBeLessThan(1.35 * original);
  });

  it('averages a face at rest over time and follows one that changes', () => {
    const photometry = new Photometry(composer, 128, { ...OFF, steady: true });
    const state = photometry.newState();
    const out = composer.texture(128, 128, 'rgba8');
    const [before, after] = [slotOf(128), slotOf(128)];
    // A little noise everywhere, and a mouth that opens: the lower third is another picture.
    const noise = (i: number) => ((i * 7919) % 9) - 4;
    const change = (v: number, i: number) => (i >> 9 > 84 ? 255 - v : Math.max(0, Math.min(255, v + noise(i))));
    (after as { face: Uint8Array }).face = before.face.map((v, i) => (i % 4 === 3 ? 255 : change(v, i)));
    photometry.run(before, own, driven, state, out, ALONE);
    photometry.run(after, own, driven, state, out, ALONE);
    const pixels = new Uint8Array(4 * AREA);
    out.read(pixels);
    const face = (of: Face) => reference.Field.fromBytes(of.face, 128, 4, 3);
    const steady = reference.steady(face(before), face(after), STEADY_SHARE);
    const around = reference.surroundings(
      reference.Field.fromBytes(after.crop, 128, 4, 3),
      bytes(after.mask),
      bytes(filled(driven, 1)),
      EYES_Y,
    );
    expect(
      worst(
        pixels,
        reference.beside(steady, steady, around, () => 1),
      ),
    ).toBeLessThanOrEqual(TOLERANCE);
    // What lies beside the face does not come from the generator at all.
    const within = (i: number) => Math.abs((i % 128) - 64) < 12;
    const moved = (from: number, to: number) => {
      let sum = 0;
      for (let i = 4 * 128 * from; i < 4 * 128 * to; i++)
        if (i % 4 !== 3 && within(i >> 2)) sum += Math.abs(pixels[i]! - before.face[i]!);
      return sum / (3 * 23 * (to - from));
    };
    expect(moved(20, 80)).toBeLessThan(1);
    expect(moved(90, 120)).toBeGreaterThan(20);
  });

  it('keeps nothing bright that was painted beside a dark face, though it has the chroma of dark skin', () => {
    const [skin, pale, wall] = [
      [62, 50, 44],
      [150, 148, 146],
      [225, 226, 228],
    ];
    const { mask } = slotOf(128);
    const hull = filled(driven, 0);
    const paint = (of: (i: number) => number[]) =>
      Uint8Array.from({ length: 4 * AREA }, (_, i) => [...of(i >> 2), 255][i % 4]!);
    const slot = { mask, crop: paint((i) => (mask[i] ? skin : wall)), face: paint((i) => (hull[i] ? skin : pale)) };
    const options = { ...OFF, relight: true, colour: true };
    const pixels = drawn(slot, 128, options);
    const near = filled(driven, 3);
    const beside = [...mask.keys()].filter((i) => mask[i] && !near[i] && i >> 7 > 75 && i >> 7 < 95);
    expect(beside.length).toBeGreaterThan(20);
    const green = beside.reduce((sum, i) => sum + pixels[4 * i + 1]!, 0) / beside.length;
    expect(Math.abs(green - wall[1]!)).toBeLessThan(25);
  });

  it('smooths chroma statistics and contrast over the life of a FaceTrack', () => {
    const options = { ...OFF, colour: true, contrast: true };
    const photometry = new Photometry(composer, 128, options);
    const state = photometry.newState();
    const [bright, dim] = [slotOf(128), slotOf(128, 0.6)];
    const first = expected(bright, 128, options);
    expect(worst(drawn(bright, 128, options, state), first.colour)).toBeLessThanOrEqual(TOLERANCE);
    const second = expected(dim, 128, options, first);
    expect(worst(drawn(dim, 128, options, state), second.colour)).toBeLessThanOrEqual(TOLERANCE);
    const unsmoothed = expected(dim, 128, options).transfer;
    expect(Math.hypot(...unsmoothed.map((x, i) => x - second.transfer[i]!))).toBeGreaterThan(0.01);
  });

  it('has log2(S/8) + 1 levels, the coarsest 8×8, whatever the size', () => {
    for (const size of [64, 128, 256, 512]) {
      const sizes = levelSizes(size);
      expect(sizes.at(-1)).toBe(8);
      expect(sizes.length + 1).toBe(reference.pyramidLevels(size));
    }
  });

  it('gives alpha 1 to the hull and 0 outside the mask', () => {
    const slot = slotOf(128);
    const pixels = drawn(slot, 128, OFF);
    const alpha = reference.alpha(reference.Field.fromBytes(slot.mask, CROP_SIZE, 1, 1));
    const off = Array.from({ length: AREA }, (_, i) => Math.abs(pixels[4 * i + 3]! - 255 * alpha.data[i]!));
    expect(Math.max(...off)).toBeLessThanOrEqual(1);
  });
});

describe('compositing against float64', () => {
  for (const [matrix, range, scale] of [
    ['bt709', 'limited', 2.2],
    ['bt601', 'full', 1.1],
    ['bt601', 'limited', 0.5],
    ['bt709', 'limited', 0.2],
  ] as const) {
    it(`${matrix} ${range}, ${scale} times the crop's size: every sample within ${TOLERANCE}, and bit-exact where alpha is 0`, () => {
      const [width, height] = [420, 380];
      const format = { width, height, colour: { matrix, range } } as const;
      const slot = slotOf(128);
      const photometry = new Photometry(composer, 128, OFF);
      const face = composer.texture(128, 128, 'rgba8', { filter: 'linear' });
      const extent = photometry.run(slot, own, driven, photometry.newState(), face, ALONE)!;
      const pixels = new Uint8Array(4 * AREA);
      face.read(pixels);
      let source = reference.Field.fromBytes(pixels, 128, 4, 4);
      while (scale * CROP_SIZE < 0.75 * source.size) source = reference.halve(source);
      const planes = Uint8Array.from({ length: (width * height * 3) / 2 }, (_, i) => 40 + ((i * 7919) % 150));
      const before = planes.slice();
      const turn = 0.2;
      const [a, d] = [scale * Math.cos(turn), scale * Math.sin(turn)];
      const toPicture = { a, b: -d, c: 60.3, d, e: a, f: 20.7 };
      // A clean picture gets no grain: this one is noise, so the grain's own look at it is left out.
      const grain = new Grain();
      grain.look = () => {};
      new FacePainter().paint({ face: pixels, extent, grain, sharpness: undefined }, toPicture, planes, format);
      const [kr, kb] = matrix === 'bt709' ? [0.2126, 0.0722] : [0.299, 0.114];
      const [offset, lumaScale, chromaScale] = range === 'full' ? [0, 255, 255] : [16, 219, 224];
      /** Y, Cb, Cr and alpha of the drawn face at a picture pixel. */
      const faceAt = (x: number, y: number) => {
        const [px, py] = [x - toPicture.c, y - toPicture.f];
        const [u, v] = [(a * px + d * py) / scale ** 2, (a * py - d * px) / scale ** 2];
        const outside = Math.abs(u - 63.5) > 64 || Math.abs(v - 63.5) > 64;
        const value = (c: number) => source.sample((u + 0.5) / 128, (v + 0.5) / 128, c);
        const [r, g, b] = [value(0), value(1), value(2)];
        const l = kr * r + (1 - kr - kb) * g + kb * b;
        return {
          alpha: outside ? 0 : value(3),
          y: offset + lumaScale * l,
          cb: 128 + (chromaScale * (b - l)) / (2 * (1 - kb)),
          cr: 128 + (chromaScale * (r - l)) / (2 * (1 - kr)),
        };
      };
      let largest = 0;
      let changedOutside = 0;
      const compare = (at: number, face: number, alpha: number) => {
        if (alpha === 0) changedOutside += Number(planes[at] !== before[at]);
        else largest = Math.max(largest, Math.abs(planes[at]! - (face * alpha + before[at]! * (1 - alpha))));
      };
      for (let y = 0; y < height; y++) {
        for (let x = 0; x < width; x++) {
          const face = faceAt(x, y);
          compare(y * width + x, face.y, face.alpha);
        }
      }
      for (let y = 0; y < height; y += 2) {
        for (let x = 0; x < width; x += 2) {
          const four = [faceAt(x, y), faceAt(x + 1, y), faceAt(x, y + 1), faceAt(x + 1, y + 1)];
          const weight = four.reduce((sum, f) => sum + f.alpha, 0);
          const alpha = Math.max(...four.map((f) => f.alpha));
          const at = width * height + ((y / 2) * width) / 2 + x / 2;
          for (const [k, plane] of (['cb', 'cr'] as const).entries()) {
            const mean = weight > 0 ? four.reduce((sum, f) => sum + f.alpha * f[plane], 0) / weight : 0;
            compare(at + (k * width * height) / 4, mean, alpha);
          }
        }
      }
      expect(changedOutside).toBe(0);
      expect(largest).toBeLessThanOrEqual(TOLERANCE);
    });
  }
});
