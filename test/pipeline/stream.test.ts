import { getEventListeners } from 'node:events';
import { from } from 'rxjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TrackedFace } from '../../src/core/face-track.ts';
import { FramePool } from '../../src/core/frame-pool.ts';
import { planeLayout, RawFrame, type SealedFrame } from '../../src/core/video-frame.ts';
import { Compositor } from '../../src/gpu-post/compositor.ts';
import type { Engine } from '../../src/pipeline/engine.ts';
import type { FrameJob } from '../../src/pipeline/frame-job.ts';
import { runStream } from '../../src/pipeline/stream.ts';

const format = { width: 64, height: 48, colour: { matrix: 'bt601', range: 'limited' } } as const;
const { byteLength } = planeLayout(64, 48);
let compositor: Compositor;

beforeAll(async () => {
  const faceMemory = new SharedArrayBuffer(4);
  compositor = await Compositor.start({ faceMemory, faceSize: 128, mode: 'mask', photometry: {} as never });
});
afterAll(() => compositor.close());

const faceAt = (trackId: number): TrackedFace => ({
  ...{ trackId, personId: 1, cover: 'generated' as const, roll: 0, score: 1 },
  region: { x: 8, y: 8, width: 20, height: 20 },
});

/** The stages around the workers with the workers' answers given; frames are sealed by the real compositor. */
class Answers {
  readonly given: number[] = [];
  life = 0;
  ended: number[] = [];
  /** For each frame that left, whether the picture shows in the middle of `faceAt` and in the corner opposite to it. */
  readonly seen: { face: boolean; corner: boolean }[] = [];
  analyse: (raw: RawFrame) => Promise<TrackedFace[]> = async () => [];
  whileComposing: (job: FrameJob) => { released?: Promise<void> } = () => ({});
  /** What the output does before it has taken a frame. */
  whileWriting: (sequence: number) => Promise<void> = async () => {};
  /** On the clock of the frames' time stamps. */
  elapsedUs: () => number | undefined = () => undefined;
  late = 0;

  get engine(): Engine {
    return {
      analyse: async (_: number, raw: RawFrame) => ({
        ...{ faces: await this.analyse(raw), started: [], ended: this.ended },
        life: this.life,
        timingsUs: { detect: 0, landmarks: 0 },
      }),
      generate: async (_1: number, _2: RawFrame, face: TrackedFace) => ({ ...face, faceSlot: 7 }),
      compose: async (_: number, job: FrameJob, slot: Parameters<Compositor['veil']>[1]) => {
        if (job.veil) return { frame: compositor.veil(job.raw, slot), covers: [] };
        const composed = await compositor.compose(job.raw, job.faces, slot);
        return { ...composed, ...this.whileComposing(job) };
      },
      veil: (info: RawFrame, slot: Parameters<Compositor['veil']>[1]) => compositor.veil(info, slot),
      giveFaceSlot: (slot: number) => void this.given.push(slot),
      endTracks: () => {},
      endStream: () => {},
      solidFrames: 2,
    } as unknown as Engine;
  }

  /** @returns what left: the kind of each frame, and whether anything of the picture is in it */
  async run(pool: FramePool, count: number, lookaheadFrames: number, stop?: AbortSignal) {
    const raws = Array.from({ length: count }, (_, sequence) => {
      const slot = pool.tryAcquire()!;
      new Uint8Array(slot.memory).fill(201);
      return new RawFrame({ sequence, timestampUs: 33_333 * sequence, format }, slot);
    });
    const left: string[] = [];
    const sink = {
      write: async (frame: SealedFrame) => {
        const at = (x: number, y: number) => frame.pixels[64 * y + x] === 201;
        this.seen.push({ face: at(18, 18), corner: at(62, 46) });
        left.push(`${frame.kind} ${frame.pixels.includes(201) ? 'picture' : 'empty'}`);
        await this.whileWriting(frame.sequence);
        frame.close();
      },
      finish: async () => {},
      abort: async () => {},
    };
    const { elapsedUs } = this;
    const source = {
      ...{ info: { format, hasAudio: false }, frames: from(raws), decodeErrors: 0, close: async () => {} },
      get elapsedUs() {
        return elapsedUs() as number;
      },
    };
    const options = { lookaheadFrames, lossless: false, deadlineMs: 1000, ...(stop && { stop }) };
    const { audit } = await runStream(this.engine, { source, sink, ...options });
    this.late = audit.totals.lateFrames;
    return left;
  }
}

describe('runStream', () => {
  it('veils what is held back when the analysis fails: what begins there cannot be searched for in it', async () => {
    const answers = new Answers();
    answers.analyse = async ({ sequence }) => {
      if (sequence === 3) throw new Error('no answer');
      return [];
    };
    const left = await answers.run(new FramePool(byteLength, 6), 6, 2);
    const [shown, veiled] = ['composed picture', 'veiled empty'];
    expect(left).toEqual([shown, veiled, veiled, veiled, shown, shown]);
  });

  it('goes on covering whom an analysis knew that had to be started again, though the next does not see him at once', async () => {
    const answers = new Answers();
    answers.analyse = async ({ sequence }) => {
      if (sequence > 0) answers.life = 1;
      return sequence === 0 ? [{ ...faceAt(1), cover: 'solid' }] : [];
    };
    await answers.run(new FramePool(byteLength, 4), 4, 0);
    expect(answers.seen.map((s) => s.face)).toEqual([false, false, false, true]);
    expect(answers.seen.every((s) => s.corner)).toBe(true);
  });

  it('shows that cover again when the face it was left out for is lost, and for nobody else', async () => {
    const region = (x: number, side: number) => ({ region: { x, y: 8, width: side, height: side } });
    const seenAs = async (second: Partial<TrackedFace>[], ended: number[] = []) => {
      const composed: number[] = [];
      const answers = new Answers();
      answers.ended = ended;
      answers.analyse = async ({ sequence }) => {
        if (sequence > 0) answers.life = 1;
        const found = sequence === 0 ? [{}] : sequence === 1 ? second : [];
        return found.map((change, i) => ({ ...faceAt(10 * sequence + i), cover: 'solid' as const, ...change }));
      };
      answers.whileComposing = ({ faces }) => {
        composed.push(faces.length);
        return {};
      };
      await answers.run(new FramePool(byteLength, 4), 4, 0);
      return composed;
    };
    expect(await seenAs([{}])).toEqual([1, 1, 1, 0]);
    // Somebody larger before him, somebody beside him; and a find that is doubted and covered on one frame only.
    expect(await seenAs([region(0, 44)])).toEqual([1, 2, 1, 0]);
    expect(await seenAs([region(28, 20)])).toEqual([1, 2, 1, 0]);
    expect(await seenAs([{}], [10])).toEqual([1, 2, 1, 0]);
  });

  it('adds no cover where the same analysis goes on', async () => {
    const composed: number[] = [];
    const answers = new Answers();
    answers.analyse = async ({ sequence }) => {
      if (sequence === 1) throw new Error('one bad answer');
      return sequence === 0 ? [{ ...faceAt(1), cover: 'solid' }] : [];
    };
    answers.whileComposing = ({ faces }) => {
      composed.push(faces.length);
      return {};
    };
    await answers.run(new FramePool(byteLength, 3), 3, 0);
    expect(composed).toEqual([1, 0]);
  });

  it('veils a frame that the decoder complains of while it is composed', async () => {
    const answers = new Answers();
    answers.whileComposing = ({ raw }) => {
      if (raw.sequence === 1) raw.damaged = true;
      return {};
    };
    const left = await answers.run(new FramePool(byteLength, 3), 3, 0);
    expect(left).toEqual(['composed picture', 'veiled empty', 'composed picture']);
  });

  it('veils a frame that the decoder complains of while it waits for the output', async () => {
    const answers = new Answers();
    const composed: RawFrame[] = [];
    answers.whileComposing = ({ raw }) => {
      composed.push(raw);
      return {};
    };
    answers.whileWriting = async (sequence) => {
      if (sequence > 0) return;
      // As many as there is memory for wait by now: the veil must need none of it.
      while (composed.length < 4) await new Promise((resolve) => setImmediate(resolve));
      await new Promise((resolve) => setTimeout(resolve, 50));
      composed[1]!.damaged = true;
    };
    const left = await answers.run(new FramePool(byteLength, 8), 8, 0);
    const shown = 'composed picture';
    expect(left).toEqual([shown, 'veiled empty', shown, shown, shown, shown, shown, shown]);
  });

  it.each([0, 2])(
    'leaves out composed frames that are too old, never veiled ones (%i held back)',
    async (lookahead) => {
      const answers = new Answers();
      let stalledUs = 0;
      answers.elapsedUs = () => stalledUs;
      const composed: number[] = [];
      answers.whileComposing = ({ raw }) => {
        composed.push(raw.sequence);
        return {};
      };
      answers.analyse = async (raw) => {
        if (raw.sequence === 2) raw.damaged = true;
        return [];
      };
      answers.whileWriting = async (sequence) => {
        if (sequence > 0) return;
        while (!composed.includes(1)) await new Promise((resolve) => setImmediate(resolve));
        await new Promise((resolve) => setTimeout(resolve, 1200));
        stalledUs = 1_200_000;
      };
      const left = await answers.run(new FramePool(byteLength, 8), 8, lookahead);
      expect(left.slice(0, 2)).toEqual(['composed picture', 'veiled empty']);
      expect(answers.late).toBeGreaterThan(0);
      expect(left.length + answers.late).toBe(8);
    },
  );

  it('leaves nothing behind at the signal that stops it: a folder has one for all its pictures', async () => {
    const { signal } = new AbortController();
    for (let i = 0; i < 3; i++) await new Answers().run(new FramePool(byteLength, 1), 1, 0, signal);
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  it('lends a frame and its faces to a hung compositor until it can read them no more', async () => {
    const answers = new Answers();
    answers.analyse = async () => [faceAt(1)];
    let release = () => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    answers.whileComposing = ({ raw }) => (raw.sequence === 0 ? { released } : {});
    const pool = new FramePool(byteLength, 2);
    await answers.run(pool, 2, 0);
    expect([pool.inUse, answers.given]).toEqual([1, [7]]);
    release();
    await released;
    await Promise.resolve();
    expect([pool.inUse, answers.given]).toEqual([0, [7, 7]]);
  });
});
