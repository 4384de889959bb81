import type { Sink } from '../egress/sink.ts';
import type { AuditRecord } from '../guard/audit-record.ts';
import type { Source } from '../ingest/source.ts';
import type { Stage, StageTimings } from './stage-timings.ts';

export interface StreamOptions {
  readonly source: Source;
  readonly sink: Sink;
  readonly streamId?: number;
  /** Frames held back so that a face can be covered before it was first found; this much latency. */
  readonly lookaheadFrames: number;
  /** True for recordings: wait for a restarted worker and try again, instead of veiling while it starts. */
  readonly lossless: boolean;
  /** A still picture: one frame that has to be looked at everywhere. */
  readonly still?: boolean;
  /** Composed frames that are older than this when they should leave are left out. Counts from when the look-ahead let them go. */
  readonly deadlineMs?: number;
  /** Asked for each frame; false: large faces are drawn without detail, which the machine has no time for. */
  readonly detail?: () => boolean;
  /** Called for each frame handed to the sink. */
  readonly onFrame?: (progress: StreamProgress) => void;
  /** Called with each time a frame spent in a stage, milliseconds. */
  readonly onStage?: (stage: Stage, ms: number) => void;
  /** Stops reading; what has been read is anonymized and written, and the output is completed. */
  readonly stop?: AbortSignal;
}

export interface StreamProgress {
  readonly frames: number;
  readonly timestampUs: number;
  readonly faces: number;
  readonly audit: AuditRecord;
}

export interface StreamResult {
  readonly audit: AuditRecord;
  readonly timings: StageTimings;
  readonly decodeErrors: number;
  /** The source's failure, when it ended early: everything before it has been anonymized and written. */
  readonly sourceError?: unknown;
  /** There was more to read: the source has failed, or somebody has stopped it. */
  readonly early: boolean;
  /** From the call to the first frame handed to the sink. */
  readonly firstFrameMs?: number;
}
