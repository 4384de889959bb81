import { type Context, Hono } from 'hono';
import type { LiveStream } from './live-stream.ts';
import { HttpProblem } from './problem.ts';

const LOOPBACK = new Set(['127.0.0.1', 'localhost', '[::1]']);

/** What runs, and reading the settings again. Has no tokens: listen on loopback only. */
export function controlApi(
  streams: ReadonlyMap<string, LiveStream>,
  onReload: () => void,
  onError: (error: Error, context: Context) => Response,
): Hono {
  const app = new Hono();
  app.onError(onError);
  // Any page that is looked at on this machine can have the browser ask here: it names the page, or the page's own name for this address.
  app.use(async (context, next) => {
    if (context.req.header('Origin') !== undefined || !LOOPBACK.has(new URL(context.req.url).hostname))
      throw new HttpProblem(403, 'this address is for programs of this machine', 'ask at 127.0.0.1, from no web page');
    await next();
  });
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
