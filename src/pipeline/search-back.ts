import type { Region, TrackedFace } from '../core/face-track.ts';
import type { FrameJob } from './frame-job.ts';

/** Overlap over the smaller of two regions. */
function containment(a: Region, b: Region): number {
  const w = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
  const h = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
  if (w <= 0 || h <= 0) return 0;
  return (w * h) / Math.min(a.width * a.height, b.width * b.height);
}

/**
 * A FaceTrack that begins at this frame was very likely in the picture before the detector saw it: walk back through
 * the frames still held and cover it there. Stops at a scene cut. A search that fails veils the frame.
 * @param held frames not emitted yet, oldest first, all before the FaceTrack's first frame
 */
export async function searchBack(
  trackId: number,
  held: readonly FrameJob[],
  find: (job: FrameJob, trackId: number) => Promise<TrackedFace | 'scene-cut'>,
): Promise<void> {
  for (let i = held.length - 1; i >= 0; i--) {
    const job = held[i]!;
    let found: TrackedFace | 'scene-cut';
    try {
      found = await find(job, trackId);
    } catch {
      job.veil = 'analysis-failed';
      continue;
    }
    if (found === 'scene-cut') return;
    const face = found;
    const known = job.faces.some((other) => containment(other.region, face.region) > 0.9);
    if (!known) job.faces = [...job.faces, face];
  }
}
