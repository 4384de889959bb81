import { type Context, Hono } from 'hono';
import { findFfmpeg } from '../core/ffmpeg.ts';
import type { IceServer } from '../core/webrtc/peer.ts';
import { controlApi } from './control-api.ts';
import { demoPage } from './demo-page.ts';
import { type Listening, type ListenOptions, listen } from './listen.ts';
import { liveMetrics } from './live-metrics.ts';
import { LiveStream } from './live-stream.ts';
import type { RunPipeline } from './live-stream-options.ts';
import { HttpProblem, problemResponse } from './problem.ts';
import { PipelineMetrics } from './stream-stats.ts';
import { type Endpoint, type StreamAccess, whipWhepRoutes } from './whip-whep.ts';

export interface ServerOptions {
  readonly http: ListenOptions;
  /** Prometheus and health; undefined: on the first port only. */
  readonly metrics?: ListenOptions;
  /** The control API; undefined: none. */
  readonly api?: ListenOptions;
  readonly streams: Readonly<Record<string, StreamConfig>>;
  readonly iceServers: readonly IceServer[];
  readonly additionalHosts: readonly string[];
  readonly portRange?: readonly [number, number];
  readonly rungsKbps: readonly number[];
  readonly minKbps: number;
  readonly inFlight: number;
  readonly passAudio: boolean;
  /** Whether all workers are up, for /readyz. */
  readonly isReady?: () => boolean;
  /** Called once with who wants to know how many faces go through the generator together. */
  readonly onBatches?: (observe: (faces: number) => void) => void;
  /** The control API asks for the settings to be read again. */
  readonly onReload?: () => void;
  readonly ffmpegPath?: string;
  readonly log: (event: string, detail?: Record<string, unknown>) => void;
}

/** One stream as the settings have it. */
export interface StreamConfig extends StreamAccess {
  /** Named here, the stream takes no publisher. */
  readonly source?: string | undefined;
}

export interface LiveServer {
  readonly port: number;
  readonly metricsPort: number | undefined;
  readonly apiPort: number | undefined;
  readonly streams: ReadonlyMap<string, LiveStream>;
  /** Takes changed streams and tokens over; a stream that is gone is closed. */
  update(streams: Readonly<Record<string, StreamConfig>>): void;
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
  const streams = new Map<string, LiveStream>();
  const registry = liveMetrics(() => streams.values());
  const pipelines = new PipelineMetrics(registry);
  options.onBatches?.((faces) => pipelines.batch(faces));
  let lastId = 0;
  const open = (name: string): LiveStream => {
    const { rungsKbps, minKbps, inFlight, passAudio, log } = options;
    const onWarning = (sentence: string) => log('warning', { stream: name, sentence });
    const stats = pipelines.for(name);
    const settings = { peer, rungsKbps, minKbps, inFlight, passAudio, stats, log, onWarning };
    return new LiveStream(name, ++lastId, tool, run, settings);
  };
  const update = (wanted: Readonly<Record<string, StreamConfig>>) => {
    for (const [name, stream] of streams) {
      if (wanted[name]) continue;
      endpoints.delete(name);
      streams.delete(name);
      void stream.close();
    }
    for (const [name, access] of Object.entries(wanted)) {
      const stream = streams.get(name) ?? open(name);
      stream.fed = access.source !== undefined;
      streams.set(name, stream);
      endpoints.set(name, { stream, access });
    }
  };
  update(options.streams);
  let stopping = false;

  const health = new Hono();
  health.get('/healthz', (context) => context.text('ok\n'));
  health.get('/readyz', (context) => {
    if (stopping) return context.text('stopping\n', 503);
    return (options.isReady?.() ?? true) ? context.text('ready\n') : context.text('a worker is being started\n', 503);
  });
  // Who may watch is not told how the machine does, nor which streams there are.
  const metrics = new Hono().route('/', health);
  metrics.get('/metrics', async (context) =>
    context.body(await registry.metrics(), 200, { 'Content-Type': registry.contentType }),
  );

  const onError = (error: Error, context: Context) => {
    if (!('remedy' in error)) options.log('fault', { error: String(error) });
    return problemResponse(context, error);
  };
  const app = new Hono();
  app.onError(onError);
  app.notFound((context) =>
    problemResponse(context, new HttpProblem(404, 'there is nothing at this address', 'see /demo')),
  );
  app.get('/demo', (context) => context.html(demoPage([...streams.keys()])));
  app.get('/', (context) => context.redirect('/demo'));
  app.route('/', health);
  app.route(
    '/',
    whipWhepRoutes((name) => endpoints.get(name), options.iceServers, onError),
  );

  const control = controlApi(streams, options.onReload ?? (() => {}), onError);
  const listening: Listening[] = [];
  const openPort = async (on: Hono, where: ListenOptions | undefined) => {
    if (!where) return undefined;
    const port = await listen(on, where);
    listening.push(port);
    return port.port;
  };
  const closePorts = () => Promise.all(listening.map((port) => port.close()));
  try {
    return {
      port: (await openPort(app, options.http))!,
      metricsPort: await openPort(metrics, options.metrics),
      apiPort: await openPort(control, options.api),
      streams,
      update,
      close: async () => {
        stopping = true;
        await Promise.all([...streams.values()].map((stream) => stream.close()));
        await closePorts();
        registry.clear();
      },
    };
  } catch (error) {
    await Promise.all([...streams.values()].map((stream) => stream.close()));
    await closePorts();
    throw error;
  }
}
