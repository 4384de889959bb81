/** Axis-aligned rectangle in picture pixels. */
export interface Region {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface Detection extends Region {
  /** Detector's confidence in [0, 1]. */
  readonly score: number;
}

/**
 * Maps canonical-crop pixels (128 × 128, pixel centres at integers) to picture pixels:
 * `x = a·u + b·v + c`, `y = d·u + e·v + f`.
 */
export interface Affine {
  readonly a: number;
  readonly b: number;
  readonly c: number;
  readonly d: number;
  readonly e: number;
  readonly f: number;
}

/** What is to be drawn over a face: the upper three steps of the ladder. */
export type Cover = 'generated' | 'held' | 'solid';

/** Side of the canonical crop the generator's contract is written in, pixels. */
export const CROP_SIZE = 128;
/** 68 iBUG points and two pupils, x y each, canonical-crop pixels; a pupil not found is −1000. */
export const LANDMARK_COUNT = 70;

/** One FaceTrack on one frame: everything later stages need to cover it. Plain data, cloned between threads. */
export interface TrackedFace {
  readonly trackId: number;
  /** Same number for the same person within a session; decides the understudy. */
  readonly personId: number;
  readonly cover: Cover;
  /** Area that must be hidden, in picture pixels, margins included. */
  readonly region: Region;
  /** In-plane roll of the region in radians (0 when unknown): the solid cover is an upright or turned rectangle. */
  readonly roll: number;
  /** Canonical crop → picture. Absent for `solid`. */
  readonly toPicture?: Affine;
  /** 140 numbers: smoothed and retargeted points the generator draws, canonical-crop pixels. `generated` only. */
  readonly driven?: Float32Array;
  /** 140 numbers: the person's own smoothed points, canonical-crop pixels (skin mask, statistics). `generated` only. */
  readonly own?: Float32Array;
  /** 140 numbers: this frame's points as found, neither smoothed nor retargeted. The mask covers these too, so that a smoothing lag leaves no sliver. `generated` only. */
  readonly raw?: Float32Array;
  /** 136 numbers each: the own and the driven points as the mask takes them, which rest while the face does. `generated` only. */
  readonly settled?: readonly [own: Float32Array, driven: Float32Array];
  /** Face slot that holds crop, mask and result; set once the face has been generated. */
  readonly faceSlot?: number;
  /** Side of the generated face, pixels; absent: as the generator draws it. */
  readonly faceSize?: number;
  readonly score: number;
}
