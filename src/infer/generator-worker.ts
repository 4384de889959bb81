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
  const warnings: string[] = [];
  const generator = await Generator.create(store.verify(model), {
    executionProviders: data.executionProviders,
    onWarning: (sentence) => warnings.push(sentence),
  });
  return {
    ready: { faceSize: generator.faceSize, provider: generator.provider, model, warnings },
    handle: (requests) =>
      generator.run(
        requests.map(({ raw, format, face, slot, z }) => ({
          picture: { planes: new Uint8Array(raw, 0, planeLayout(format.width, format.height).byteLength), format },
          face,
          z,
          slot: faceSlotViews(data.faceMemory, slot, generator.faceSize),
        })),
      ),
  };
});
