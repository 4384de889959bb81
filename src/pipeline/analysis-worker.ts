import { faceSlotViews } from '../core/face-slot.ts';
import type { TrackedFace } from '../core/face-track.ts';
import { cropFromPoints } from '../core/landmark-crop.ts';
import { serveWorker } from '../core/serve-worker.ts';
import { planeLayout } from '../core/video-frame.ts';
import { FaceDetector } from '../infer/detector.ts';
import { GeneratedFace } from '../infer/generated-face.ts';
import { IrisModel } from '../infer/iris.ts';
import { LandmarkModel } from '../infer/landmarks.ts';
import { ModelStore } from '../infer/model-store.ts';
import { HalvedPlanes } from '../infer/picture-pyramid.ts';
import { Recognizer } from '../infer/recognizer.ts';
import { SharedDetector } from '../infer/shared-detector.ts';
import { StreamAnalyser } from '../track/analyser.ts';
import { rollOf } from '../track/canonical.ts';
import { misfit } from '../track/misfit.ts';
import { trackOptions } from '../track/options.ts';
import { fivePoints, PersonGallery } from '../track/person.ts';
import { loadShapeModel } from '../track/shape-model.ts';
import type { AnalysisReply, AnalysisRequest, AnalysisWorkerData } from './analysis-messages.ts';

/** FaceTracks that one life of an analyser may number. */
const IDS_PER_EPOCH = 1_000_000_000;
/** Persons that one stream may number at first: the first person of every stream is somebody else. */
const PERSONS_PER_STREAM = 10_000;
/** Where the numbers begin of streams that need more: beyond the first ones of 50,000 streams; only a folder of pictures has as many, and none of those needs more. */
const FURTHER_PERSONS = IDS_PER_EPOCH / 2;

interface AnalysedStream {
  readonly analyser: StreamAnalyser;
  readonly run: number | undefined;
  /** No FaceTrack of an earlier life or stream ever had these numbers: what is kept of it cannot be drawn on this one. */
  readonly trackOffset: number;
}

serveWorker<AnalysisRequest, AnalysisReply, { provider: string }, AnalysisWorkerData>(async (data) => {
  const store = ModelStore.open({
    ...(data.modelsDir && { dir: data.modelsDir }),
    ...(data.cacheDir && { cacheDir: data.cacheDir }),
  });
  const sessionOptions = { executionProviders: data.executionProviders };
  const [detector, landmarks, pupils, embedder] = await allOrNone([
    FaceDetector.create(store, sessionOptions),
    LandmarkModel.create(store, sessionOptions),
    IrisModel.create(store, sessionOptions),
    Recognizer.create(store, sessionOptions),
  ]);
  const finder = new SharedDetector(detector, data.detectorChannel);
  const shape = loadShapeModel(store.verify('shape-68'));
  const takeEpoch = () => Atomics.add(new Int32Array(data.epoch), 0, 1);
  const life = takeEpoch();
  const personOffset = life * IDS_PER_EPOCH;
  let trackEpoch = life;
  let furtherRanges = 0;
  const furtherPersons = () => FURTHER_PERSONS + PERSONS_PER_STREAM * furtherRanges++ + 1;
  const streams = new Map<number, AnalysedStream>();
  // One for all streams: requests come one after the other.
  const pyramid = new HalvedPlanes();
  const stillGallery = new PersonGallery(
    embedder,
    trackOptions({ mode: 'still', ...data.track, sessionKey: data.sessionKey }).samePersonCosine,
  );
  const streamOf = (streamId: number, run?: number, still = false): AnalysedStream => {
    let stream = streams.get(streamId);
    // Who publishes next under a name must not take over what is known of those before.
    if (!stream || (run !== undefined && stream.run !== run)) {
      const options = {
        ...data.track,
        mode: still ? ('still' as const) : data.live ? ('live' as const) : ('file' as const),
        sessionKey: data.sessionKey,
        firstPerson: streamId * PERSONS_PER_STREAM + 1,
        persons: PERSONS_PER_STREAM,
      };
      const ports = { finder, landmarks, pupils, embedder, furtherPersons, ...(still && { gallery: stillGallery }) };
      stream = { analyser: new StreamAnalyser(ports, shape, options), run, trackOffset: trackEpoch * IDS_PER_EPOCH };
      trackEpoch = takeEpoch();
      streams.set(streamId, stream);
    }
    return stream;
  };
  const outward = (face: TrackedFace, { trackOffset }: AnalysedStream): TrackedFace => ({
    ...face,
    trackId: face.trackId + trackOffset,
    personId: face.personId + personOffset,
  });

  return {
    ready: { provider: 'cpu' },
    async handle(request) {
      if (request.kind === 'end-stream') {
        if (streams.get(request.streamId)?.run === request.run) streams.delete(request.streamId);
        return undefined;
      }
      if (request.kind === 'judge') {
        const { analyser } = streamOf(request.streamId);
        const personId = request.personId - personOffset;
        if (!analyser.knows(personId)) return undefined;
        const { driven } = request;
        const face = new GeneratedFace(
          faceSlotViews(data.faceMemory, request.faceSlot, request.faceSize),
          request.faceSize,
        );
        const likeness = analyser.likeness(personId, await embedder.embedGenerated(face, fivePoints(driven)));
        if (likeness === undefined) return undefined;
        if (likeness > request.limit) return { likeness };
        const found = await landmarks.find(face.gray(), cropFromPoints(driven, rollOf(driven)));
        return { likeness, misfit: misfit(found, driven) };
      }
      const { width, height } = request.format;
      const planes = new Uint8Array(request.memory, 0, planeLayout(width, height).byteLength);
      const picture = { planes, format: request.format, pyramid: pyramid.load(planes, request.format) };
      const stream = streamOf(request.streamId, request.run, request.kind === 'analyse' && request.still);
      const { analyser, trackOffset } = stream;
      const { sequence, timestampUs } = request;
      if (request.kind === 'search-back') {
        const found = await analyser.searchBack(picture, { sequence, timestampUs }, request.trackId - trackOffset);
        return found === 'scene-cut' ? found : outward(found, stream);
      }
      const analysed = await analyser.analyse(picture, { sequence, timestampUs, damaged: request.damaged });
      return {
        faces: analysed.faces.map((face) => outward(face, stream)),
        started: analysed.started.map((id) => id + trackOffset),
        ended: analysed.ended.map((id) => id + trackOffset),
        life: trackOffset,
        timingsUs: analysed.timingsUs,
      };
    },
  };
});

/** A failed start ends this thread, and to end it while another session is being made would abort the process: waits for all. */
async function allOrNone<T extends readonly unknown[]>(
  promises: readonly [...{ [K in keyof T]: Promise<T[K]> | T[K] }],
): Promise<T> {
  await Promise.allSettled(promises);
  return (await Promise.all(promises)) as unknown as T;
}
