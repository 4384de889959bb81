import type { Cover } from '../core/face-track.ts';
import type { SealKind, VeilReason } from '../core/video-frame.ts';

/** What became of one FaceTrack; frame numbers count from 0 and are inclusive. */
export interface FaceTrackRecord {
  readonly trackId: number;
  firstFrame: number;
  lastFrame: number;
  generated: number;
  held: number;
  solid: number;
  /** Frames in which this FaceTrack was known while the whole picture was veiled. */
  veiled: number;
}

export interface AuditTotals {
  frames: number;
  framesWithoutFace: number;
  veiledFrames: number;
  veiledBy: Partial<Record<VeilReason, number>>;
  /** Left out because they were too old when they should have left (`live.deadlineMs`); in no other count. */
  lateFrames: number;
  faces: number;
  generated: number;
  held: number;
  solid: number;
}

/** Nobody was found in any frame that was shown; frames that were veiled (a decoder's error at the start, say) tell nothing. */
export function withoutFace({ frames, veiledFrames, faces }: AuditTotals): boolean {
  return faces === 0 && (veiledFrames < frames || frames === 0);
}

/** Counts what left the process and on which step of the ladder. Holds numbers only: no pixels, points or embeddings. */
export class AuditRecord {
  readonly #tracks = new Map<number, FaceTrackRecord>();
  readonly #maxTracks: number;
  readonly totals: AuditTotals = {
    frames: 0,
    framesWithoutFace: 0,
    veiledFrames: 0,
    veiledBy: {},
    lateFrames: 0,
    faces: 0,
    generated: 0,
    held: 0,
    solid: 0,
  };

  /** @param maxTracks FaceTracks kept, the oldest going first; the totals count all */
  constructor(maxTracks = Number.POSITIVE_INFINITY) {
    this.#maxTracks = maxTracks;
  }

  get faceTracks(): readonly FaceTrackRecord[] {
    return [...this.#tracks.values()];
  }

  frame(
    sequence: number,
    kind: SealKind,
    covers: readonly { trackId: number; cover: Cover }[],
    reason?: VeilReason,
  ): void {
    const { totals } = this;
    totals.frames++;
    if (kind === 'veiled') {
      totals.veiledFrames++;
      const why = reason ?? 'compositor-failed';
      totals.veiledBy[why] = (totals.veiledBy[why] ?? 0) + 1;
    } else if (covers.length === 0) totals.framesWithoutFace++;
    for (const { trackId, cover } of covers) {
      const record = this.#record(trackId, sequence);
      if (kind === 'veiled') record.veiled++;
      else {
        record[cover]++;
        totals[cover]++;
        totals.faces++;
      }
    }
  }

  #record(trackId: number, sequence: number): FaceTrackRecord {
    let record = this.#tracks.get(trackId);
    if (!record) {
      record = { trackId, firstFrame: sequence, lastFrame: sequence, generated: 0, held: 0, solid: 0, veiled: 0 };
      this.#tracks.set(trackId, record);
      if (this.#tracks.size > this.#maxTracks) this.#tracks.delete(this.#tracks.keys().next().value as number);
    }
    record.firstFrame = Math.min(record.firstFrame, sequence);
    record.lastFrame = Math.max(record.lastFrame, sequence);
    return record;
  }
}
