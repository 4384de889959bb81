import { randomUUID } from 'node:crypto';
import { BroadcastChannel } from 'node:worker_threads';
import type { Detection } from '../core/face-track.ts';
import { serveWorker } from '../core/serve-worker.ts';
import { planeLayout } from '../core/video-frame.ts';
import { FaceDetector } from './detector.ts';
import type { DetectorWorkerData, LookMessage, LookRequest } from './detector-messages.ts';
import { ModelStore } from './model-store.ts';
import { HalvedPlanes } from './picture-pyramid.ts';

/** The only request by the worker's own port: resolves when no look is under way, and takes no further one. */
serveWorker<'finish', undefined, undefined, DetectorWorkerData>(async (data) => {
  const store = ModelStore.open({
    ...(data.modelsDir && { dir: data.modelsDir }),
    ...(data.cacheDir && { cacheDir: data.cacheDir }),
  });
  const detector = await FaceDetector.create(store, { executionProviders: data.executionProviders });
  const pyramid = new HalvedPlanes();
  const from = randomUUID();
  const channel = new BroadcastChannel(data.channel);
  const say = (message: LookMessage) => channel.postMessage(message);

  const look = async ({ id, planes, format, windows, minScore, next }: LookRequest): Promise<void> => {
    const found: [number, Detection[]][] = [];
    try {
      const samples = new Uint8Array(planes, 0, planeLayout(format.width, format.height).byteLength);
      const counter = new Int32Array(next);
      let picture: { planes: Uint8Array; format: typeof format; pyramid: HalvedPlanes } | undefined;
      for (let i = Atomics.add(counter, 0, 1); i < windows.length; i = Atomics.add(counter, 0, 1)) {
        picture ??= { planes: samples, format, pyramid: pyramid.load(samples, format) };
        found.push([i, await detector.detect(picture, windows[i]!, minScore)]);
      }
    } catch {
      // What it does not tell of is looked at by whoever asked, and throws there if it throws again.
    }
    say({ kind: 'looked', id, from, found });
  };

  let before: Promise<void> = Promise.resolve();
  let finishing = false;
  channel.onmessage = (event) => {
    const message = (event as { data: LookMessage }).data;
    if (finishing) return;
    if (message.kind === 'who') say({ kind: 'here', from });
    if (message.kind === 'look') before = before.then(() => look(message));
  };
  say({ kind: 'here', from });
  return {
    ready: undefined,
    async handle() {
      finishing = true;
      await before;
      channel.close();
      return undefined;
    },
  };
});
