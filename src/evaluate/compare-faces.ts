import type { Picture } from '../core/vision.ts';
import { PictureSampler, windowSampling } from '../infer/sample.ts';
import { CROP, CropReader, canonicalSquare, cropMask, pointsInCrop, THUMB } from './face-crop.ts';
import type { FaceRecord } from './face-record.ts';
import { albedo } from './metrics/albedo.ts';
import { backgroundPsnr, backgroundSsim } from './metrics/background.ts';
import { colourDifference } from './metrics/colour-difference.ts';
import { labPicture } from './metrics/lab.ts';
import { expressionError, interOcular, poseError } from './metrics/landmark-error.ts';
import { siL2 } from './metrics/lighting-harmonics.ts';
import { lightAsymmetry, siMse } from './metrics/si-mse.ts';
import { type Face, type FaceObserver, faceAt } from './observer.ts';

/** Hair and neck belong to what an anonymizer may touch: the background begins this much beyond the face's box. */
const BACKGROUND_MARGIN = 0.6;
/** Width over the inter-ocular distance of the low-pass that stands for shading in the albedo. */
const SHADING_SIGMA = 0.24;
const SHIFT_PX = 2;

const crops = new CropReader(CROP);
const thumbs = new CropReader(THUMB);

export interface PairPictures {
  readonly original: Picture;
  readonly anonymized: Picture;
}

/** Measures every face of the original against what the anonymized picture shows in its place. */
export async function compareFaces(
  observer: FaceObserver,
  name: string,
  person: string,
  { original, anonymized }: PairPictures,
): Promise<FaceRecord[]> {
  const before = await observer.faces(original);
  const after = await observer.faces(anonymized);
  const background = before.length > 0 ? compareBackground(original, anonymized, before) : {};
  const records: FaceRecord[] = [];
  for (const [i, face] of before.entries()) {
    const found = faceAt(face, after);
    const suffix = i === 0 ? '' : `#${i + 1}`;
    const pictures = { original, anonymized };
    const record = await compareFace(observer, `${name}${suffix}`, `${person}${suffix}`, pictures, face, found);
    records.push({ ...record, values: { ...record.values, ...background } });
  }
  return records;
}

async function compareFace(
  observer: FaceObserver,
  name: string,
  person: string,
  { original, anonymized }: PairPictures,
  face: Face,
  found: Face | undefined,
): Promise<FaceRecord> {
  const { judges } = observer;
  const square = canonicalSquare(face.points);
  const own = pointsInCrop(face.points, square, CROP);
  // An attacker who sees no face still knows where one must be.
  const outputPoints = found?.points ?? face.points;
  const values: Record<string, number> = {
    detectionRate: found ? 1 : 0,
    poseError: found ? poseError(face.points, found.points) : Number.NaN,
    expressionError: found ? expressionError(face.points, found.points) : Number.NaN,
    ...comparePixels(crops.read(original, square), crops.read(anonymized, square), own),
  };
  const embeddings: Record<string, { original: Float32Array; anonymized: Float32Array }> = {};
  for (const judge of judges.recognizers) {
    const pair = {
      original: await judge.embed(original, face.points),
      anonymized: await judge.embed(anonymized, outputPoints),
    };
    embeddings[judge.key] = pair;
    const similarity = judge.similarity(pair.original, pair.anonymized);
    if (judge.key === 'B') values.reidDistanceB = -similarity;
    else values[`reidCosine${judge.key}`] = similarity;
  }
  if (judges.mtcnn) values.detectionRateMtcnn = (await judges.mtcnn.finds(anonymized, face.box)) ? 1 : 0;
  if (judges.dlibPoints) {
    // Each from the face that is found in its own picture: from the original's box errors come out smaller than they are.
    const own = judges.dlibPoints.find(original, face.box);
    const again = found && judges.dlibPoints.find(anonymized, found.box);
    values.poseErrorDlib = again ? poseError(own, again) : Number.NaN;
    values.expressionErrorDlib = again ? expressionError(own, again) : Number.NaN;
  }
  const anonymizedPoints = found && pointsInCrop(found.points, square, CROP);
  return {
    name,
    person,
    values,
    expression: await expressions(observer, { original, anonymized }, face.points, found?.points),
    embeddings,
    points: { original: own, ...(anonymizedPoints && { anonymized: anonymizedPoints }) },
    inPicture: face.points,
    thumbs: {
      original: thumbs.bytes(original, square),
      anonymized: thumbs.bytes(anonymized, square),
      outputAlone: thumbs.bytes(anonymized, canonicalSquare(outputPoints)),
    },
  };
}

/** Light and colour inside the face. Crops are interleaved RGB in [0, 1]; `own` are the original's points in the crop. */
export function comparePixels(original: Float32Array, anonymized: Float32Array, own: Float32Array) {
  const mask = cropMask(own);
  const sigma = SHADING_SIGMA * interOcular(own);
  const onPictures = colourDifference(labPicture(original), labPicture(anonymized), mask);
  const [a, b] = [albedo(original, mask, CROP, sigma), albedo(anonymized, mask, CROP, sigma)];
  const onAlbedo = colourDifference(labPicture(a), labPicture(b), mask);
  return {
    siMse: siMse(original, anonymized, mask),
    siL2: siL2(original, anonymized, mask, CROP),
    lightAsymmetry: lightAsymmetry(original, mask, CROP),
    ...onPictures,
    deltaLAlbedo: onAlbedo.deltaL,
    deltaCAlbedo: onAlbedo.deltaC,
    deltaEAlbedo: onAlbedo.deltaE,
  };
}

function compareBackground(original: Picture, anonymized: Picture, faces: readonly Face[]) {
  const { width, height } = original.format;
  const keep = new Uint8Array(width * height).fill(1);
  for (const { box } of faces) {
    const [mx, my] = [BACKGROUND_MARGIN * box.width, BACKGROUND_MARGIN * box.height];
    const [x0, x1] = [Math.max(0, Math.floor(box.x - mx)), Math.min(width, Math.ceil(box.x + box.width + mx))];
    const [y0, y1] = [Math.max(0, Math.floor(box.y - my)), Math.min(height, Math.ceil(box.y + box.height + my))];
    for (let y = y0; y < y1; y++) if (x1 > x0) keep.fill(0, y * width + x0, y * width + x1);
  }
  const sampler = new PictureSampler(width, height);
  const [a, b] = [rgbBytes(sampler, original), rgbBytes(sampler, anonymized)];
  return { backgroundPsnr: backgroundPsnr(a, b, keep), backgroundSsim: backgroundSsim(a, b, keep, width) };
}

/** Interleaved. */
function rgbBytes(sampler: PictureSampler, picture: Picture): Uint8Array {
  const { width, height } = picture.format;
  const n = width * height;
  const planar = new Float32Array(3 * n);
  const whole = windowSampling({ x: 0, y: 0, width, height, quarterTurns: 0 }, width, height);
  sampler.rgb(picture, whole, planar, 0, 1);
  // Rounds by itself.
  const out = new Uint8ClampedArray(3 * n);
  for (let p = 0; p < n; p++) {
    out[3 * p] = planar[p]!;
    out[3 * p + 1] = planar[n + p]!;
    out[3 * p + 2] = planar[2 * n + p]!;
  }
  return new Uint8Array(out.buffer);
}

async function expressions(
  { judges: { expression } }: FaceObserver,
  { original, anonymized }: PairPictures,
  before: Float32Array,
  after: Float32Array | undefined,
): Promise<[number, number, number]> {
  if (!expression) return [-1, -1, -1];
  const own = best(await expression.classify(original, before));
  const shifted = best(await expression.classify(original, before, SHIFT_PX));
  return [own, after ? best(await expression.classify(anonymized, after)) : -1, shifted];
}

function best(probabilities: Float32Array): number {
  return probabilities.indexOf(Math.max(...probabilities));
}
