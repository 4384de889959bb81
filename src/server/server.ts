import { Hono } from 'hono';
import { findFfmpeg } from '../core/ffmpeg.ts';
import type { IceServer } from '../core/webrtc/peer.ts';
import { demoPage } from './demo-page.ts';
import { type Listening, type ListenOptions, listen } from './listen.ts';
import { liveMetrics } from './live-metrics.ts';
import { LiveStream, type RunPipeline } from './live-stream.ts';
import { problemResponse } from './problem.ts';
import { type Endpoint, type StreamAccess, whipWhepRoutes } from './whip-whep.ts';

export interface ServerOptions {
  readonly http: ListenOptions;
  /** Prometheus and health; undefined: on the first port only. */
  readonly metrics?: ListenOptions;
  readonly streams: Readonly<Record<string, StreamAccess>>;
  readonly iceServers: readonly IceServer[];
  readonly additionalHosts: readonly string[];
  readonly portRange?: readonly [number, number];
  readonly rungsKbps: readonly number[];
  readonly minKbps: number;
  readonly inFlight: number;
  readonly ffmpegPath?: string;
  readonly log: (event: string, detail?: Record<string, unknown>) => void;
}

export interface LiveServer {
  readonly port: number;
  readonly metricsPort: number | undefined;
  readonly streams: ReadonlyMap<string, LiveStream>;
  close(): Promise<void>;
}

/** WHIP in, WHEP out, a demonstration page, health and metrics. @throws UnderstudyError when a port cannot be opened */
export async function startServer(options: ServerOptions, run: RunPipeline): Promise<LiveServer> {
  const tool = await findFfmpeg(options.ffmpegPath);
  const peer = {
    iceServers: options.iceServers,
    additionalHosts: options.additionalHosts,
    ...(options.portRange && { portRange: options.portRange }),
  };
  const endpoints = new Map<string, Endpoint>();
  Object.entries(options.streams).forEach(([name, access], i) => {
    const { rungsKbps, minKbps, inFlight, log } = options;
    const onWarning = (sentence: string) => log('warning', { stream: name, sentence });
    const stream = new LiveStream(name, i + 1, tool, run, { peer, rungsKbps, minKbps, inFlight, log, onWarning });
    endpoints.set(name, { stream, access });
  });
  const streams = new Map([...endpoints].map(([name, { stream }]) => [name, stream]));
  let ready = true;

  const health = new Hono();
  const registry = liveMetrics(() => streams.values());
  health.get('/healthz', (context) => context.text('ok\n'));
  health.get('/readyz', (context) => context.text(ready ? 'ready\n' : 'stopping\n', ready ? 200 : 503));
  health.get('/metrics', async (context) =>
    context.body(await registry.metrics(), 200, { 'Content-Type': registry.contentType }),
  );

  const app = new Hono();
  app.onError((error, context) => {
    if (!(error instanceof Error && 'remedy' in error)) options.log('fault', { error: String(error) });
    return problemResponse(context, error);
  });
  app.get('/demo', (context) => context.html(demoPage([...streams.keys()])));
  app.get('/', (context) => context.redirect('/demo'));
  app.route('/', health);
  app.route(
    '/',
    whipWhepRoutes((name) => endpoints.get(name), options.iceServers),
  );

  const main: Listening = await listen(app, options.http);
  const metrics =
    options.metrics &&
    (await listen(health, options.metrics).catch(async (error) => {
      await main.close();
      throw error;
    }));
  return {
    port: main.port,
    metricsPort: metrics?.port,
    streams,
    close: async () => {
      ready = false;
      await Promise.all([...streams.values()].map((stream) => stream.close()));
      await Promise.all([main.close(), metrics?.close()]);
      registry.clear();
    },
  };
}
