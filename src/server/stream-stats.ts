import { Counter, Histogram, type Registry } from 'prom-client';
import type { SoundDrop } from '../core/audio/audio-track.ts';
import type { AuditTotals } from '../guard/audit-record.ts';

const STAGE_BUCKETS_MS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 5000];

/** What the pipelines of all streams count, for Prometheus. Numbers and stream names only. */
export class PipelineMetrics {
  readonly #frames: Counter;
  readonly #veiled: Counter;
  readonly #covers: Counter;
  readonly #sound: Counter;
  readonly #stages: Histogram;
  readonly #latency: Histogram;
  readonly #glass: Histogram;
  readonly #outputs: Counter;
  readonly #batches: Histogram;

  constructor(registry: Registry) {
    const registers = [registry];
    const counter = (name: string, help: string, labels: string[] = []) =>
      new Counter({ name: `understudy_${name}`, help, labelNames: ['stream', ...labels], registers });
    this.#frames = counter('frames_total', 'sealed frames that left the pipeline');
    this.#veiled = counter('frames_veiled_total', 'frames veiled as a whole, by reason', ['reason']);
    this.#covers = counter('faces_total', 'faces by the step of the ladder on which they were covered', ['cover']);
    this.#sound = counter('sound_packets_dropped_total', 'packets of sound left out, by reason', ['reason']);
    const histogram = (name: string, help: string, labels: string[] = []) =>
      new Histogram({
        name: `understudy_${name}`,
        help,
        labelNames: ['stream', ...labels],
        buckets: STAGE_BUCKETS_MS,
        registers,
      });
    this.#stages = histogram(
      'stage_ms',
      'time of a frame in a stage; decode: since its last packet came (WebRTC), else the time between pictures',
      ['stage'],
    );
    this.#latency = histogram('added_latency_ms', 'age of a frame since it was decoded when it goes to the encoders');
    this.#glass = histogram(
      'glass_to_glass_ms',
      'estimate of the time from the arrival of a picture to its arrival at the slowest viewer: age when it is sent and half a round trip',
    );
    this.#outputs = counter('output_frames_dropped_total', 'frames that further outputs and recordings missed');
    this.#batches = new Histogram({
      name: 'understudy_batch_size',
      help: 'faces in one run of the generator, of all streams',
      buckets: [1, 2, 3, 4, 6, 8, 16],
      registers,
    });
  }

  /** One run of the generator. */
  batch(faces: number): void {
    this.#batches.observe(faces);
  }

  for(stream: string): StreamStats {
    let seen: AuditTotals | undefined;
    let late = 0;
    const more = (now: number | undefined, before: number | undefined) => Math.max(0, (now ?? 0) - (before ?? 0));
    return {
      get late() {
        return late;
      },
      begin: () => {
        seen = undefined;
      },
      frame: (totals) => {
        this.#frames.inc({ stream }, more(totals.frames, seen?.frames));
        for (const cover of ['generated', 'held', 'solid'] as const) {
          this.#covers.inc({ stream, cover }, more(totals[cover], seen?.[cover]));
        }
        for (const [reason, count] of Object.entries(totals.veiledBy)) {
          this.#veiled.inc({ stream, reason }, more(count, seen?.veiledBy[reason as keyof AuditTotals['veiledBy']]));
        }
        late += more(totals.lateFrames, seen?.lateFrames);
        seen = { ...totals, veiledBy: { ...totals.veiledBy } };
      },
      soundDropped: (reason) => this.#sound.inc({ stream, reason }),
      stage: (stage, ms) => this.#stages.observe({ stream, stage }, ms),
      latency: (ms) => this.#latency.observe({ stream }, ms),
      glassToGlass: (ms) => this.#glass.observe({ stream }, ms),
      outputsDropped: (frames) => this.#outputs.inc({ stream }, frames),
    };
  }
}

/** The counters of one stream. */
export interface StreamStats {
  /** A new run of the pipeline: its totals start at 0. */
  begin(): void;
  frame(totals: AuditTotals): void;
  /** Frames left out because they were too old, of all runs. */
  readonly late: number;
  /** One packet of sound, at the source or at one of the outputs. */
  soundDropped(reason: SoundDrop): void;
  stage(stage: string, ms: number): void;
  latency(ms: number): void;
  glassToGlass(ms: number): void;
  outputsDropped(frames: number): void;
}
