import type { Picture } from '../core/vision.ts';
import { FrameMean } from './attacks/frame-mean.ts';
import { changed } from './changed.ts';
import { CROP, CropReader, canonicalSquare, cropMask, pointsInCrop } from './face-crop.ts';
import { interOcular } from './metrics/landmark-error.ts';
import { mean } from './metrics/statistics.ts';
import { flicker, temporalCorrelation } from './metrics/video.ts';
import { type Face, type FaceObserver, faceAt } from './observer.ts';
import type { LeftOut } from './pairs.ts';
import type { Thresholds } from './thresholds.ts';

/** A face seen for fewer frames says nothing about time. */
export const MIN_FRAMES = 8;

/** One face of a video pair over time. */
export interface VideoTrack {
  readonly name: string;
  readonly frames: number;
  readonly values: Record<string, number>;
  /** By recognizer, one of each looked-at frame. */
  readonly embeddings: Record<string, { readonly original: Float32Array[]; readonly anonymized: Float32Array[] }>;
  /** By recognizer that gave one: the embedding of the pixel mean of all its aligned output frames. */
  readonly pixelMean: Readonly<Record<string, Float32Array>>;
}

/** What a detector that the runtime does not use says of a video's covers, whoever was followed in it. */
export interface CoverCheck {
  /** Finds in the frames that were looked at. */
  readonly finds: number;
  /** Finds in whose middle nothing was changed: faces that were missed, or none at all. Somebody has to look. */
  readonly uncovered: readonly {
    readonly frame: number;
    readonly x: number;
    readonly y: number;
    readonly height: number;
  }[];
}

/** One pair of videos. */
export interface VideoResult {
  readonly name: string;
  readonly tracks: readonly VideoTrack[];
  readonly check?: CoverCheck;
  /** FaceTracks that are too short, and looks at which a judge gave no answer. */
  readonly leftOut?: readonly LeftOut[];
}

interface OpenTrack {
  readonly firstFrame: number;
  readonly mean: FrameMean;
  last: Face;
  lastFrame: number;
  frames: number;
  covered: number;
  found: number;
  mtcnn: number;
  mtcnnAsked: number;
  leaks: number;
  leakChecks: number;
  /** Looks at which a judge answered NaN, by the judge's name. */
  readonly silent: Map<string, number>;
  sameExpression: number;
  expressions: number;
  readonly points: { original: Float32Array[]; anonymized: Float32Array[] };
  readonly flicker: { original: number[]; anonymized: number[] };
  crops: { original: Float32Array; anonymized: Float32Array } | undefined;
  mask: Uint8Array | undefined;
  readonly embeddings: VideoTrack['embeddings'];
}

export interface TrackerOptions {
  readonly observer: FaceObserver;
  readonly thresholds: Thresholds;
  /** The recognizers and classifiers look at every n-th frame of a face. */
  readonly lookEvery: number;
}

/** Follows the faces of an original through a video pair, frame by frame. Memory grows with points and embeddings only. */
export class VideoTracker {
  readonly #options: TrackerOptions;
  readonly #crops = new CropReader(CROP);
  readonly #tracks: OpenTrack[] = [];
  readonly #uncovered: CoverCheck['uncovered'][number][] = [];
  #finds = 0;
  #frame = 0;

  constructor(options: TrackerOptions) {
    this.#options = options;
  }

  async frame(original: Picture, anonymized: Picture): Promise<void> {
    const { observer } = this.#options;
    const before = await observer.faces(original);
    const after = before.length > 0 ? await observer.faces(anonymized) : [];
    const free = this.#tracks.filter((t) => this.#frame - t.lastFrame <= 5);
    for (const face of before) {
      const track = free.find((t) => faceAt(t.last, [face])) ?? this.#open(face);
      const taken = free.indexOf(track);
      if (taken >= 0) free.splice(taken, 1);
      await this.#look(track, face, faceAt(face, after), { original, anonymized });
    }
    if (this.#frame % this.#options.lookEvery === 0) await this.#check(original, anonymized);
    this.#frame++;
  }

  async #check(original: Picture, anonymized: Picture): Promise<void> {
    for (const box of (await this.#options.observer.judges.mtcnn?.all(original)) ?? []) {
      this.#finds++;
      if (changed(box, original, anonymized)) continue;
      const [x, y, height] = [box.x, box.y, box.height].map(Math.round) as [number, number, number];
      this.#uncovered.push({ frame: this.#frame, x, y, height });
    }
  }

  /** Everything that was seen long enough, and what was not. */
  async finish(name: string): Promise<VideoResult> {
    const long = this.#tracks.filter((t) => t.frames >= MIN_FRAMES);
    const tracks: VideoTrack[] = [];
    const leftOut: LeftOut[] = this.#tracks.filter((t) => !long.includes(t)).map((t) => tooShort(t, name));
    for (const [i, t] of long.entries()) {
      const picture = t.mean.picture();
      const pixelMean: Record<string, Float32Array> = {};
      const own = `${name}#${i + 1}`;
      for (const judge of this.#options.observer.judges.recognizers) {
        const embedding = await judge.embed(picture, t.mean.points);
        if (embedding.every(Number.isFinite)) pixelMean[judge.key] = embedding;
        else leftOut.push({ name: own, reason: `recognizer ${judge.key} answers NaN to the mean of its frames` });
      }
      tracks.push({ ...closed(t, own), pixelMean });
      for (const [judge, looks] of t.silent)
        leftOut.push({ name: own, reason: `${judge} answers NaN at ${looks} of the looks at it` });
    }
    const check = { finds: this.#finds, uncovered: this.#uncovered };
    return { name, tracks, ...(this.#options.observer.judges.mtcnn && { check }), leftOut };
  }

  #open(face: Face): OpenTrack {
    const track: OpenTrack = {
      firstFrame: this.#frame,
      mean: new FrameMean(),
      last: face,
      lastFrame: this.#frame,
      ...{ frames: 0, covered: 0, found: 0, mtcnn: 0, mtcnnAsked: 0, leaks: 0, leakChecks: 0 },
      ...{ sameExpression: 0, expressions: 0, crops: undefined, mask: undefined },
      points: { original: [], anonymized: [] },
      flicker: { original: [], anonymized: [] },
      embeddings: {},
      silent: new Map(),
    };
    this.#tracks.push(track);
    return track;
  }

  async #look(
    track: OpenTrack,
    face: Face,
    found: Face | undefined,
    pictures: { original: Picture; anonymized: Picture },
  ): Promise<void> {
    const { lookEvery } = this.#options;
    if (track.frames % lookEvery === 0) await this.#judge(track, face, found, pictures);
    this.#pixels(track, face, pictures);
    track.last = face;
    track.lastFrame = this.#frame;
    track.frames++;
    if (changed(face.box, pictures.original, pictures.anonymized)) track.covered++;
    if (found) {
      track.found++;
      track.points.original.push(relative(face.points, face.points));
      track.points.anonymized.push(relative(found.points, face.points));
    }
  }

  /** Crops of consecutive frames through the same landmarks: motion is taken out of the flicker. */
  #pixels(track: OpenTrack, face: Face, { original, anonymized }: { original: Picture; anonymized: Picture }): void {
    const square = canonicalSquare(face.points);
    const points = pointsInCrop(face.points, square, CROP);
    track.mask ??= cropMask(points);
    const crops = {
      original: this.#crops.read(original, square),
      anonymized: this.#crops.read(anonymized, square),
    };
    if (track.crops && this.#frame - track.lastFrame === 1) {
      track.flicker.original.push(255 * flicker([track.crops.original, crops.original], track.mask));
      track.flicker.anonymized.push(255 * flicker([track.crops.anonymized, crops.anonymized], track.mask));
    }
    track.crops = crops;
    track.mean.add(crops.anonymized, points);
  }

  async #judge(
    track: OpenTrack,
    face: Face,
    found: Face | undefined,
    { original, anonymized }: { original: Picture; anonymized: Picture },
  ): Promise<void> {
    const { observer, thresholds } = this.#options;
    const { recognizers, expression, mtcnn } = observer.judges;
    const points = found?.points ?? face.points;
    const silent = (judge: string) => track.silent.set(judge, (track.silent.get(judge) ?? 0) + 1);
    const verdicts: (boolean | undefined)[] = [];
    for (const judge of recognizers) {
      track.embeddings[judge.key] ??= { original: [], anonymized: [] };
      const own = await judge.embed(original, face.points);
      const output = await judge.embed(anonymized, points);
      const { threshold } = thresholds[judge.key] ?? {};
      const answers = [own, output].every((e) => e.every(Number.isFinite));
      if (answers) {
        track.embeddings[judge.key]!.original.push(own);
        track.embeddings[judge.key]!.anonymized.push(output);
      } else silent(`recognizer ${judge.key}`);
      if (threshold !== undefined) verdicts.push(answers ? judge.similarity(own, output) >= threshold : undefined);
    }
    // Who gives no answer does not say that it is somebody else: such a look counts only when another one recognizes the person.
    const leaked = verdicts.includes(true);
    if (leaked || (verdicts.length > 0 && !verdicts.includes(undefined))) track.leakChecks++;
    if (leaked) track.leaks++;
    if (mtcnn) {
      track.mtcnnAsked++;
      if (await mtcnn.finds(anonymized, face.box)) track.mtcnn++;
    }
    if (expression && found) {
      const label = async (picture: Picture, at: Float32Array) => {
        const logits = await expression.classify(picture, at);
        return logits.indexOf(Math.max(...logits));
      };
      const [own, output] = [await label(original, face.points), await label(anonymized, found.points)];
      if (own < 0 || output < 0) silent(expression.name);
      else {
        track.expressions++;
        if (own === output) track.sameExpression++;
      }
    }
  }
}

function tooShort({ firstFrame, frames }: OpenTrack, name: string): LeftOut {
  const seen = `a face seen from frame ${firstFrame} on, in ${frames} ${frames === 1 ? 'frame' : 'frames'}`;
  return { name, reason: `${seen}: fewer than ${MIN_FRAMES} say nothing about time` };
}

function closed(t: OpenTrack, name: string): Omit<VideoTrack, 'pixelMean'> {
  const [still, moving] = [mean(t.flicker.original), mean(t.flicker.anonymized)];
  return {
    name,
    frames: t.frames,
    embeddings: t.embeddings,
    values: {
      coverage: t.covered / t.frames,
      uncoveredFrames: t.frames - t.covered,
      leakCount: t.leakChecks > 0 ? t.leaks : Number.NaN,
      leakRate: t.leaks / t.leakChecks,
      videoDetectionRate: t.found / t.frames,
      videoDetectionRateMtcnn: t.mtcnnAsked > 0 ? t.mtcnn / t.mtcnnAsked : Number.NaN,
      temporalCorrelation: temporalCorrelation(t.points.original, t.points.anonymized),
      flickerOriginal: still,
      flickerAnonymized: moving,
      flickerRatio: still > 0 ? moving / still : Number.NaN,
      emotionAgreement: t.expressions > 0 ? t.sameExpression / t.expressions : Number.NaN,
    },
  };
}

/** Points about the original's eye centre in its inter-ocular distances: only turning, tilting and mimicry are left. */
function relative(points: Float32Array, original: Float32Array): Float32Array {
  const scale = interOcular(original);
  let [x, y] = [0, 0];
  for (let i = 36; i < 48; i++) {
    x += original[2 * i]! / 12;
    y += original[2 * i + 1]! / 12;
  }
  return points.map((v, i) => (v - (i % 2 === 0 ? x : y)) / scale);
}
