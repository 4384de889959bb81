import { serveWorker } from '../core/serve-worker.ts';
import { ModelStore } from '../infer/model-store.ts';
import { openJudges } from './judges/judges.ts';
import type { MeasureCall, MeasureReady } from './measure-pool.ts';
import { LocalMeasurer } from './measurer.ts';
import { FaceObserver } from './observer.ts';

serveWorker<MeasureCall, unknown, MeasureReady>(async () => {
  const store = ModelStore.open();
  const measurer = new LocalMeasurer(await FaceObserver.create(store, await openJudges(store)));
  return {
    ready: {
      recognizers: measurer.recognizers.map(({ key, name }) => ({ key, name })),
      absent: measurer.absent,
      mark: measurer.mark,
    },
    handle: ({ call, args }) => (measurer[call] as (...all: unknown[]) => Promise<unknown>)(...args),
  };
});
