import type { Detection, Region } from '../core/face-track.ts';
import type { PictureFormat } from '../core/video-frame.ts';
import type { DetectorWindow } from '../core/vision.ts';
import { area, centreX, centreY, containment, intersection, intersectionOverUnion } from './geometry.ts';

/** A detection with what its window says about it. */
export interface Found extends Detection {
  /** Roll of the face to a quarter turn, radians clockwise as seen. */
  readonly angle: number;
  /** Touches an edge of its window that is not one of the picture: perhaps only a part of the face. */
  readonly clipped: boolean;
  /** Seen in a native tile, where skin and cloth can look like a face. */
  readonly native?: boolean;
  /** Seen where the window's dark parts were lightened. */
  readonly lifted?: boolean;
}

/** A window as narrow as the detector's input is not reduced. */
const NATIVE_WIDTH = 320;

/** Angle of a face that stands upright after the window was turned clockwise. */
export const angleOfTurns = (quarterTurns: number): number =>
  quarterTurns === 0 ? 0 : [0, -0.5, 1, 0.5][quarterTurns]! * Math.PI;

export function asFound(d: Detection, window: DetectorWindow, format: PictureFormat): Found {
  const near = 0.02 * Math.max(window.width, window.height);
  const clipped =
    (d.x < window.x + near && window.x > 0) ||
    (d.y < window.y + near && window.y > 0) ||
    (d.x + d.width > window.x + window.width - near && window.x + window.width < format.width) ||
    (d.y + d.height > window.y + window.height - near && window.y + window.height < format.height);
  const { x, y, width, height, score } = d;
  const native = window.quarterTurns === 0 && window.width <= NATIVE_WIDTH && format.width > 2 * NATIVE_WIDTH;
  return {
    x,
    y,
    width,
    height,
    score,
    angle: angleOfTurns(window.quarterTurns),
    clipped,
    native,
    lifted: window.lifted ?? false,
  };
}

const rank = (f: Found): number => f.score - (f.clipped ? 0.3 : 0) - (f.angle === 0 ? 0 : 0.1);

/** Score-weighted mean: the same face seen in two windows gives a steadier box than either. */
function blend(a: Found, b: Found): Found {
  const w = b.score / (a.score + b.score);
  const mix = (p: number, q: number) => p + w * (q - p);
  const box: Region = {
    x: mix(a.x, b.x),
    y: mix(a.y, b.y),
    width: mix(a.width, b.width),
    height: mix(a.height, b.height),
  };
  return { ...a, ...box, score: Math.max(a.score, b.score) };
}

const MUCH_SMALLER = 0.3;
/** Share of a find that has to lie on a face, and not beside it in the corner of its box, to be hidden by what is drawn over that. */
const ON_FACE = 0.7;
const GRID = 8;

/**
 * Whether what is drawn over a face hides a find in its box. A face fills the ellipse in its box, and a drawn one is painted within its outline only:
 * in a corner, beside the chin or over an ear, there is room for somebody farther away.
 */
export function onFace(find: Region, face: Region): boolean {
  const steps = Array.from({ length: GRID }, (_, i) => (i + 0.5) / GRID);
  const xs = steps.map((s) => (find.x + s * find.width - centreX(face)) / (face.width / 2));
  const ys = steps.map((s) => (find.y + s * find.height - centreY(face)) / (face.height / 2));
  const inside = ys.reduce((sum, y) => sum + xs.filter((x) => x * x + y * y < 1).length, 0);
  return inside >= ON_FACE * GRID * GRID;
}

/** Overlap with a face that is certain without more light, or share of a find no smaller than that of it, from which on a find in lightened shadows adds nothing to it. */
const SEEN_PLAINLY = 0.2;
/** A face in the dark that is seen all the same is seen worse than with more light. */
const SURE = 0.97;
const HALF = 0.5;
const NO_SMALLER = 0.15;

/** Lightened tiles show parts of a face that is seen well without: they would only make its box worse. Somebody small in its box is somebody else. */
function seenPlainly(find: Found, face: Found): boolean {
  if (find.angle !== face.angle) return false;
  if (intersectionOverUnion(find, face) > SEEN_PLAINLY) return true;
  return intersection(find, face) >= HALF * area(find) && area(find) >= NO_SMALLER * area(face);
}

/** `mergeFound` of what a frame's windows show, of which some had their shadows lightened. */
export function mergeLooks(found: readonly Found[], certain: number): Found[] {
  const plain = found.filter((f) => !f.lifted && !f.clipped && f.score >= SURE);
  return mergeFound(
    found.filter((f) => !(f.lifted && plain.some((face) => seenPlainly(f, face)))),
    certain,
  );
}

/**
 * One detection per face out of those of all windows. A box inside another is part of it, unless it is much smaller
 * and certain in its own right, or beside the face: then it is somebody else, and both get a cover.
 */
export function mergeFound(found: readonly Found[], certain: number): Found[] {
  const kept: Found[] = [];
  for (const candidate of [...found].sort((a, b) => rank(b) - rank(a))) {
    const index = kept.findIndex((k) => {
      if (intersectionOverUnion(k, candidate) > 0.4) return true;
      if (containment(k, candidate) < 0.65) return false;
      const [small, large] = area(k) < area(candidate) ? [k, candidate] : [candidate, k];
      const other = small.score >= certain || !onFace(small, large);
      return !(area(small) < MUCH_SMALLER * area(large) && other && !small.clipped);
    });
    if (index < 0) kept.push(candidate);
    else {
      const k = kept[index]!;
      if (candidate.clipped || candidate.angle !== k.angle) continue;
      if (intersectionOverUnion(k, candidate) > 0.6) kept[index] = blend(k, candidate);
      // The larger is the face, whichever is the more certain: a cover over a part of it would leave the rest. More light shows parts of faces more clearly.
      else if (
        k.angle === 0 &&
        area(candidate) > area(k) &&
        candidate.score >= (k.lifted && !candidate.lifted ? HALF : certain)
      )
        kept[index] = { ...candidate, score: k.score };
    }
  }
  return kept;
}
