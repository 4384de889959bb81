import type { Region, TrackedFace } from '../core/face-track.ts';
import { stepDown } from '../guard/ladder.ts';
import { mayHide } from '../track/cover-region.ts';
import type { FrameJob } from './frame-job.ts';

/** Share of the smaller region in the other that makes them one face, and of the found one that its cover has to hide. */
const SAME_FACE = 0.9;
const HIDDEN = 0.75;

/** Whether both regions are of one face. A small find inside a large face (its mouth) hides nothing of the rest. */
function samePlace(known: Region, found: Region): boolean {
  const w = Math.min(known.x + known.width, found.x + found.width) - Math.max(known.x, found.x);
  const h = Math.min(known.y + known.height, found.y + found.height) - Math.max(known.y, found.y);
  if (w <= 0 || h <= 0) return false;
  const [common, area] = [w * h, found.width * found.height];
  return common > SAME_FACE * Math.min(known.width * known.height, area) && common > HIDDEN * area;
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
    const over = job.faces.filter((other) => samePlace(other.region, face.region));
    if (over.some((other) => mayHide(other, face.region))) continue;
    // Beside a face that is drawn, in its region: what is not painted by that one is hidden whole.
    job.faces = [...job.faces, over.length > 0 ? stepDown(face, 'solid') : face];
  }
}
