import { Hono } from 'hono';
import type { LiveStream } from './live-stream.ts';
import { problemResponse } from './problem.ts';

/** What runs, and reading the settings again. Has no tokens: listen on loopback only. */
export function controlApi(streams: ReadonlyMap<string, LiveStream>, onReload: () => void): Hono {
  const app = new Hono();
  app.onError((error, context) => problemResponse(context, error));
  app.get('/v1/streams', (context) =>
    context.json(
      [...streams.values()].map((stream) => ({
        name: stream.name,
        publishing: stream.publishing,
        fed: stream.fed,
        viewers: stream.hub.viewers,
        framesSent: stream.hub.frames,
        ...stream.counters.present,
      })),
    ),
  );
  app.post('/v1/reload', (context) => {
    onReload();
    return context.body(null, 204);
  });
  return app;
}
