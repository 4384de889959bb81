import { faceSlotViews } from '../core/face-slot.ts';
import { serveWorker } from '../core/serve-worker.ts';
import { planeLayout } from '../core/video-frame.ts';
import { Generator } from './generator.ts';
import type { GeneratorReady, GeneratorReply, GeneratorRequest, GeneratorWorkerData } from './generator-messages.ts';
import { ModelStore } from './model-store.ts';

serveWorker<GeneratorRequest[], GeneratorReply, GeneratorReady, GeneratorWorkerData>(async (data) => {
  const store = ModelStore.open({
    ...(data.modelsDir && { dir: data.modelsDir }),
    ...(data.cacheDir && { cacheDir: data.cacheDir }),
  });
  const model = store.generator(data.precision);
  const detail = store.detail(data.detail);
  const warnings: string[] = [];
  const generator = await Generator.create(
    store.verify(model),
    { executionProviders: data.executionProviders, onWarning: (sentence) => warnings.push(sentence) },
    detail && store.verify(detail),
  );
  const models = [model, ...(detail ? [detail] : [])];
  const { faceSize, detailSize, provider } = generator;
  return {
    ready: { faceSize, ...(detailSize && { detailSize }), provider, models, warnings },
    handle: (requests) =>
      generator.run(
        requests.map(({ raw, format, face, slot, z }) => ({
          picture: { planes: new Uint8Array(raw, 0, planeLayout(format.width, format.height).byteLength), format },
          face,
          z,
          slot: faceSlotViews(data.faceMemory, slot, face.faceSize ?? faceSize),
        })),
      ),
  };
});
