import { faceSlotViews } from '../core/face-slot.ts';
import { CROP_SIZE, type TrackedFace } from '../core/face-track.ts';
import { serveWorker } from '../core/serve-worker.ts';
import { type PictureFormat, planeLayout } from '../core/video-frame.ts';
import { cleanRim } from './clean-rim.ts';
import { Composer } from './composer.ts';
import { drawEyes } from './eyes.ts';
import { FacePainter, hasOpaque, liesOver } from './face-painter.ts';
import { clearForehead } from './forehead.ts';
import { createGl } from './gl-context.ts';
import type { DrawnCover, GlRequest, GlWorkerData } from './gl-messages.ts';
import { Grain } from './grain.ts';
import { drawMouth } from './mouth.ts';
import { type FaceState, Photometry } from './photometry.ts';
import { coverRegion } from './plane-covers.ts';
import { Sharpness } from './sharpness.ts';
import type { Extent } from './soft-mask.ts';
import type { Texture } from './texture.ts';
import { warmUp } from './warm-up.ts';

/** Frames in a row that cannot be drawn before the context is taken for lost. */
const MAX_FAILURES = 3;
/** Time for the answer to leave before the thread ends. */
const END_AFTER_MS = 20;
/** Finished faces kept for `held`, over all streams. */
const MAX_KEPT = 64;
/**
 * A face that was drawn longer ago is not held: a generator that is started again is back by then, and what light and expression it
 * shows are of another moment.
 */
const MAX_HELD_US = 3_000_000;

/** What is done to texels counts in canonical pixels of one or several whole ones; a model of somebody else's may draw others. */
const isWhole = (size: number): boolean => size % CROP_SIZE === 0;

/** The passes for faces of one size. */
interface Bench {
  readonly size: number;
  readonly photometry: Photometry;
  readonly finished: Texture;
}

interface Kept {
  readonly bench: Bench;
  /** RGBA of the finished face. */
  readonly face: Uint8Array;
  readonly state: FaceState;
  readonly grain: Grain;
  readonly sharpness: Sharpness | undefined;
  /** Where the face is opaque; `undefined` until one has been finished. */
  extent: Extent | undefined;
  /** The time of the frame that it was finished for. */
  drawnUs: number;
}

serveWorker<GlRequest, DrawnCover[], { renderer: string }, GlWorkerData>(async (data) => {
  const gl = createGl();
  const composer = new Composer(gl);
  const painter = new FacePainter();
  const benches = new Map<number, Bench>();
  const kept = new Map<string, Kept>();

  const benchFor = (size: number): Bench => {
    let bench = benches.get(size);
    if (!bench) {
      const photometry = new Photometry(composer, size, data.photometry);
      bench = { size, photometry, finished: composer.texture(size, size, 'rgba8') };
      benches.set(size, bench);
    }
    return bench;
  };
  const { size, photometry, finished } = benchFor(data.faceSize);
  warmUp(photometry, size, finished);
  composer.check();

  const keptFor = (key: string, bench: Bench): Kept => {
    let entry = kept.get(key);
    // A face that has come nearer is drawn finer from now on, and nothing of its coarser state fits.
    if (entry && entry.bench !== bench) {
      forget(key);
      entry = undefined;
    }
    if (!entry) {
      if (kept.size >= MAX_KEPT) forget(kept.keys().next().value as string);
      entry = {
        bench,
        face: new Uint8Array(4 * bench.size ** 2),
        state: bench.photometry.newState(),
        grain: new Grain(),
        sharpness: data.photometry.sharpness === false || !isWhole(bench.size) ? undefined : new Sharpness(),
        extent: undefined,
        drawnUs: 0,
      };
      kept.set(key, entry);
    }
    return entry;
  };
  const forget = (key: string) => {
    const entry = kept.get(key);
    if (!entry) return;
    entry.bench.photometry.release(entry.state);
    kept.delete(key);
  };
  const drawFace = (
    streamId: number,
    face: TrackedFace,
    planes: Uint8Array,
    { format, faces, timestampUs }: GlRequest & { kind: 'compose' },
  ) => {
    const others = faces.filter((other) => other !== face);
    const key = `${streamId}/${face.trackId}`;
    const { toPicture, own, driven, faceSlot } = face;
    if (face.cover === 'generated' && toPicture && own && driven && faceSlot !== undefined) {
      const size = face.faceSize ?? data.faceSize;
      const bench = benchFor(size);
      const entry = keptFor(key, bench);
      const { photometry, finished } = bench;
      const slot = faceSlotViews(data.faceMemory, faceSlot, size);
      const extent = photometry.run(slot, own, driven, entry.state, finished, { toPicture, ...format, others });
      if (!extent) throw new Error('a face came with an empty mask');
      // Until it has been read whole there is nothing to hold: a face that is not there would be drawn as nothing, over the person.
      entry.extent = undefined;
      finished.read(entry.face);
      composer.check();
      if (!hasOpaque(entry.face)) throw new Error('the finished face is empty');
      // What does not lie over its own face must not be held over it on the next frame.
      if (!liesOver(entry.face, [own, face.raw ?? own])) return cover(face, planes, format);
      const { a, b, d, e } = toPicture;
      const scale = Math.sqrt(Math.abs(a * e - b * d));
      if (isWhole(size)) {
        clearForehead(entry.face, size, slot.crop, photometry.known, driven);
        cleanRim(entry.face, size, photometry.around);
      }
      entry.sharpness?.finish(slot.crop, entry.face, photometry.common, scale, entry.grain.sigma);
      if (data.photometry.features !== false) {
        drawEyes(entry.face, driven);
        drawMouth(entry.face, driven);
      }
      entry.extent = extent;
      entry.drawnUs = timestampUs;
      painter.paint({ ...entry, extent }, toPicture, planes, format);
      return 'generated' as const;
    }
    const entry = kept.get(key);
    // Points are known when it is only the new face that is missing; the mouth may have opened since.
    const shapes = [own, face.raw].filter((points) => points !== undefined);
    const recent = entry && Math.abs(timestampUs - entry.drawnUs) <= MAX_HELD_US;
    if (face.cover !== 'solid' && toPicture && recent && entry.extent && liesOver(entry.face, shapes)) {
      painter.paint({ ...entry, extent: entry.extent }, toPicture, planes, format);
      return 'held' as const;
    }
    // From solid nothing old comes back.
    if (entry) entry.extent = undefined;
    return cover(face, planes, format);
  };
  const cover = ({ region }: TrackedFace, planes: Uint8Array, format: PictureFormat) => {
    coverRegion(planes, format, region, 'solid');
    return 'solid' as const;
  };

  let failures = 0;

  return {
    ready: { renderer: String(gl.getParameter(gl.RENDERER)) },
    handle(request) {
      if (request.kind === 'end-tracks') {
        for (const id of request.trackIds) forget(`${request.streamId}/${id}`);
        return [];
      }
      if (request.kind === 'drop-context') {
        (gl.getExtension('STACKGL_destroy_context') as { destroy(): void } | null)?.destroy();
        return [];
      }
      const { byteLength } = planeLayout(request.format.width, request.format.height);
      const planes = new Uint8Array(request.sealed, 0, byteLength);
      planes.set(new Uint8Array(request.raw, 0, byteLength));
      // Solid covers last: they must not be painted over by a neighbour's soft edge.
      const order = [...request.faces].sort((a, b) => Number(a.cover === 'solid') - Number(b.cover === 'solid'));
      try {
        const drawn = order.map((face) => ({
          trackId: face.trackId,
          cover: drawFace(request.streamId, face, planes, request),
        }));
        failures = 0;
        return drawn;
      } catch (error) {
        failures++;
        // A lost context does not come back: end after the answer, so that a new worker makes a new one.
        if (gl.isContextLost() || failures >= MAX_FAILURES) setTimeout(() => process.exit(1), END_AFTER_MS);
        throw error;
      }
    },
  };
});
