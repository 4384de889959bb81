import type { Region, TrackedFace } from '../../src/core/face-track.ts';

/** Whether one of the covers lies over a face, as another look found it (two looks differ by a few pixels), and is not just everywhere. */
export const covers = (faces: readonly TrackedFace[], { x, y, width, height }: Region): boolean =>
  faces.some(
    ({ region: r }) =>
      r.x < x + 0.08 * width &&
      r.x + r.width > x + 0.92 * width &&
      r.y < y + 0.08 * height &&
      r.y + r.height > y + 0.92 * height &&
      r.width < 2.5 * width,
  );
