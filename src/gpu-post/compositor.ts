import type { TrackedFace } from '../core/face-track.ts';
import { type FrameInfo, type FrameSlot, planeLayout, type RawFrame, SealedFrame } from '../core/video-frame.ts';
import { WorkerClient, type WorkerClientOptions } from '../core/worker-client.ts';
import { WorkerHung } from '../core/worker-errors.ts';
import type { DrawnCover, GlRequest, GlWorkerData } from './gl-messages.ts';
import { refuseIdentifying } from './photometry-options.ts';
import { coverRegion, type PlaneCover, veilPlanes } from './plane-covers.ts';
import { XDisplay } from './x-display.ts';

const seal = SealedFrame.takeDoor();

export type Mode = 'generate' | Exclude<PlaneCover, 'solid'>;

export interface CompositorOptions extends GlWorkerData {
  readonly mode: Mode;
  readonly patience?: Pick<WorkerClientOptions, 'lateMs' | 'timeoutMs' | 'impatient' | 'onHopeless'>;
  readonly givesWay?: boolean;
  readonly onWarning?: (sentence: string) => void;
}

type GlWorker = WorkerClient<GlRequest, DrawnCover[], { renderer: string }>;

export interface Composed {
  readonly frame: SealedFrame;
  readonly covers: readonly DrawnCover[];
  /** Set when the worker hangs: resolves when it reads the raw frame and its face slots no more. */
  readonly released?: Promise<void>;
}

/** The only maker of SealedFrames: copies raw to sealed memory and covers every face on the way, or veils the frame. */
export class Compositor {
  readonly #mode: Mode;
  readonly #worker: GlWorker | undefined;

  private constructor(mode: Mode, worker?: GlWorker) {
    this.#mode = mode;
    this.#worker = worker;
  }

  /**
   * @throws UnderstudyError(graphics) in mode `generate` without X display, Xvfb or GL (the other modes need none),
   * UnderstudyError(usage) for a photometry that would give the person back
   */
  static async start(options: CompositorOptions): Promise<Compositor> {
    const { mode, patience, givesWay = false, onWarning, ...data } = options;
    if (mode !== 'generate') return new Compositor(mode);
    refuseIdentifying(data.photometry);
    await XDisplay.open();
    const worker = new WorkerClient<GlRequest, DrawnCover[], { renderer: string }>(
      'GL',
      new URL('./gl-worker', import.meta.url),
      {
        data,
        ...patience,
        // Only one thread of a process can load gl: one that hangs stands in the way of the next.
        maxStuck: 0,
        givesWay,
        onDeath: (error) => onWarning?.(`${error.message}; frames are veiled until it is back`),
      },
    );
    try {
      await worker.ready;
    } catch (error) {
      await worker.close();
      throw error;
    }
    return new Compositor(mode, worker);
  }

  get ready(): Promise<unknown> {
    return this.#worker?.ready ?? Promise.resolve();
  }

  get alive(): boolean {
    return this.#worker?.alive ?? true;
  }

  /** Never rejects: whatever goes wrong, the frame comes back veiled. Takes over `slot`, which is given back by the frame's close. */
  async compose(raw: RawFrame, faces: readonly TrackedFace[], slot: FrameSlot, streamId = 0): Promise<Composed> {
    try {
      if (!faces.every(hasPlace)) throw new Error('nobody knows where a face is');
      const covers = this.#worker
        ? await this.#draw(this.#worker, raw, faces, slot, streamId)
        : this.#cover(raw, faces, slot);
      const unseen = faces.some((face) => !covers.some((c) => c.trackId === face.trackId));
      if (unseen) throw new Error('a face was not covered');
      return { frame: seal(raw, slot, 'composed'), covers };
    } catch (error) {
      const covers = faces.map(({ trackId, cover }) => ({ trackId, cover }));
      if (!(error instanceof WorkerHung)) return { frame: this.veil(raw, slot), covers };
      return { frame: this.veil(raw, otherSlot(slot, error)), covers, released: error.released };
    }
  }

  /** A frame without any picture content. */
  veil(info: FrameInfo, slot: FrameSlot): SealedFrame {
    veilPlanes(new Uint8Array(slot.memory), info.format);
    return seal(info, slot, 'veiled');
  }

  endTrack(streamId: number, trackIds: readonly number[]): void {
    this.#worker?.call({ kind: 'end-tracks', streamId, trackIds }).catch(() => {
      // A worker that is down keeps no faces either.
    });
  }

  async close(): Promise<void> {
    await this.#worker?.close();
  }

  #draw(worker: GlWorker, raw: RawFrame, faces: readonly TrackedFace[], slot: FrameSlot, streamId: number) {
    const request = {
      kind: 'compose',
      streamId,
      raw: raw.slot.memory,
      sealed: slot.memory,
      format: raw.format,
      timestampUs: raw.timestampUs,
      faces,
    } as const;
    return worker.call(request);
  }

  #cover(raw: RawFrame, faces: readonly TrackedFace[], slot: FrameSlot): DrawnCover[] {
    const { byteLength } = planeLayout(raw.format.width, raw.format.height);
    const planes = new Uint8Array(slot.memory, 0, byteLength);
    planes.set(new Uint8Array(raw.slot.memory, 0, byteLength));
    const cover = this.#mode === 'generate' ? 'solid' : this.#mode;
    for (const face of faces)
      coverRegion(planes, raw.format, face.region, face.cover === 'solid' && cover !== 'mask' ? 'solid' : cover);
    return faces.map(({ trackId, cover: planned }) => ({
      trackId,
      cover: planned === 'solid' ? 'solid' : 'generated',
    }));
  }
}

/** A cover without a place (a NaN from a network) would be drawn nowhere, and count as drawn. */
function hasPlace({ region, toPicture }: TrackedFace): boolean {
  const { x, y, width, height } = region;
  const numbers = [x, y, ...(toPicture ? Object.values(toPicture) : [])];
  return width > 0 && height > 0 && [...numbers, width, height].every(Number.isFinite);
}

/** A hung worker may still write into its slot: the veil gets memory of its own, and the slot waits until it can no more. */
function otherSlot(slot: FrameSlot, { released }: WorkerHung): FrameSlot {
  void released.then(() => slot.release());
  return { index: -1, memory: new SharedArrayBuffer(slot.memory.byteLength), release: () => {} };
}
