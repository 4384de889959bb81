import type { Cover, TrackedFace } from '../core/face-track.ts';

const STEPS: readonly Cover[] = ['generated', 'held', 'solid'];

/** The step of the ladder with less information. */
export function lower(a: Cover, b: Cover): Cover {
  return STEPS.indexOf(a) >= STEPS.indexOf(b) ? a : b;
}

/** The face with at most the information of `to`; never with more than it had. */
export function stepDown(face: TrackedFace, to: Cover): TrackedFace {
  const cover = lower(face.cover, to);
  if (cover === face.cover) return face;
  if (cover === 'solid') {
    const { toPicture: _1, driven: _2, own: _3, raw: _4, faceSlot: _5, faceSize: _6, ...rest } = face;
    return { ...rest, cover };
  }
  const { faceSlot: _1, faceSize: _2, ...rest } = face;
  return { ...rest, cover };
}
