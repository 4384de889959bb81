import type { TrackedFace } from '../core/face-track.ts';
import { planeLayout } from '../core/video-frame.ts';
import { serveWorker } from '../core/worker-client.ts';
import { FaceDetector } from '../infer/detector.ts';
import { IrisModel } from '../infer/iris.ts';
import { LandmarkModel } from '../infer/landmarks.ts';
import { ModelStore } from '../infer/model-store.ts';
import { Recognizer } from '../infer/recognizer.ts';
import { StreamAnalyser } from '../track/analyser.ts';
import { trackOptions } from '../track/options.ts';
import { PersonGallery } from '../track/person.ts';
import { loadShapeModel } from '../track/shape-model.ts';
import type { AnalysisReply, AnalysisRequest, AnalysisWorkerData } from './analysis-messages.ts';

/** FaceTracks that one life of the worker may number. */
const IDS_PER_EPOCH = 1_000_000;

serveWorker<AnalysisRequest, AnalysisReply, { provider: string }, AnalysisWorkerData>(async (data) => {
  const store = ModelStore.open({
    ...(data.modelsDir && { dir: data.modelsDir }),
    ...(data.cacheDir && { cacheDir: data.cacheDir }),
  });
  const sessionOptions = { executionProviders: data.executionProviders };
  const [finder, landmarks, pupils, embedder] = await Promise.all([
    FaceDetector.create(store, sessionOptions),
    LandmarkModel.create(store, sessionOptions),
    IrisModel.create(store, sessionOptions),
    Recognizer.create(store, sessionOptions),
  ]);
  const shape = loadShapeModel(store.verify('shape-68'));
  const offset = Atomics.add(new Int32Array(data.epoch), 0, 1) * IDS_PER_EPOCH;
  const streams = new Map<number, StreamAnalyser>();
  const stillGallery = new PersonGallery(
    embedder,
    trackOptions({ mode: 'still', ...data.track, sessionKey: data.sessionKey }).samePersonCosine,
  );
  const analyserOf = (streamId: number, still = false) => {
    let analyser = streams.get(streamId);
    if (!analyser) {
      const options = {
        ...data.track,
        mode: still ? ('still' as const) : data.live ? ('live' as const) : ('file' as const),
        sessionKey: data.sessionKey,
      };
      const ports = { finder, landmarks, pupils, embedder, ...(still && { gallery: stillGallery }) };
      analyser = new StreamAnalyser(ports, shape, options);
      streams.set(streamId, analyser);
    }
    return analyser;
  };
  const outward = (face: TrackedFace): TrackedFace => ({
    ...face,
    trackId: face.trackId + offset,
    personId: face.personId + offset,
  });

  return {
    ready: { provider: 'cpu' },
    async handle(request) {
      if (request.kind === 'end-stream') {
        streams.delete(request.streamId);
        return undefined;
      }
      const { width, height } = request.format;
      const planes = new Uint8Array(request.memory, 0, planeLayout(width, height).byteLength);
      const picture = { planes, format: request.format };
      const analyser = analyserOf(request.streamId, request.kind === 'analyse' && request.still);
      const { sequence, timestampUs } = request;
      if (request.kind === 'search-back') {
        const found = await analyser.searchBack(picture, { sequence, timestampUs }, request.trackId - offset);
        return found === 'scene-cut' ? found : outward(found);
      }
      const analysed = await analyser.analyse(picture, { sequence, timestampUs, damaged: request.damaged });
      return {
        faces: analysed.faces.map(outward),
        started: analysed.started.map((id) => id + offset),
        ended: analysed.ended.map((id) => id + offset),
        timingsUs: analysed.timingsUs,
      };
    },
  };
});
