import type { Detection, Region } from './face-track.ts';
import type { Scratch } from './simd/scratch.ts';
import type { PictureFormat } from './video-frame.ts';

/** An I420 picture in shared memory, as the analysis sees it. */
export interface Picture {
  readonly planes: Uint8Array;
  readonly format: PictureFormat;
  /** The same picture in smaller sizes, for those who reduce it. */
  readonly pyramid?: PicturePyramid;
}

export interface ReducedPlane {
  readonly samples: Uint8Array;
  /** Where the samples lie in the pyramid's memory. */
  readonly address: number;
  readonly width: number;
  readonly height: number;
  /** Samples of the whole plane per sample of this one, each way. */
  readonly reduction: number;
}

export interface PicturePyramid {
  /** The memory that it lies in. */
  readonly scratch: Scratch;
  /** The smallest form of a plane (0: luma, 1: Cb, 2: Cr) that still has a sample for every `step` samples of the whole one. */
  plane(channel: 0 | 1 | 2, step: number): ReducedPlane;
}

/** A part of the picture that is resized into the detector's input, turned clockwise by quarter turns first. */
export interface DetectorWindow extends Region {
  readonly quarterTurns: 0 | 1 | 2 | 3;
  /** Its dark parts are lightened, whatever is bright beside them; without any nobody is found in it. */
  readonly lifted?: boolean;
}

/** A square of the picture around (cx, cy), turned by `angle` radians (x-axis of the crop against x-axis of the picture). */
export interface SquareCrop {
  readonly cx: number;
  readonly cy: number;
  readonly side: number;
  readonly angle: number;
}

/** Finds faces in a window; regions in picture pixels, overlaps already merged, best first. */
export interface FaceFinder {
  detect(picture: Picture, window: DetectorWindow, minScore: number): Promise<Detection[]>;
  /** The same of several windows of one picture, for a finder that can look at more than one at a time. */
  detectAll?(picture: Picture, windows: readonly DetectorWindow[], minScore: number): Promise<Detection[][]>;
}

/** Finds the 68 iBUG points in a square: 136 numbers x y, picture pixels. */
export interface LandmarkFinder {
  find(picture: Picture, crop: SquareCrop): Promise<Float32Array>;
}

/** A square around one eye. */
export interface EyeCrop extends SquareCrop {
  /** As the picture shows it. */
  readonly eye: 'left' | 'right';
}

/** Finds the pupils in squares around eyes of one picture, picture pixels; `undefined` where the answer is not plausible. */
export interface PupilFinder {
  find(picture: Picture, eyes: readonly EyeCrop[]): Promise<({ x: number; y: number } | undefined)[]>;
}

/** Embeds a face from its five points (eyes, nose, mouth corners: 10 numbers, picture pixels); unit length. */
export interface FaceEmbedder {
  embed(picture: Picture, fivePoints: Float32Array): Promise<Float32Array>;
}
