import { randomBytes } from 'node:crypto';
import type { Command } from 'commander';
import pino from 'pino';
import { type Config, loadConfig } from '../config/loader.ts';
import { ExitCode, UnderstudyError } from '../core/errors.ts';
import { withoutCredentials } from '../core/stream-address.ts';
import { openDeviceSource } from '../ingest/device/device-source.ts';
import { openRtspSource } from '../ingest/rtsp/rtsp-source.ts';
import { Engine } from '../pipeline/engine.ts';
import { runStream } from '../pipeline/stream.ts';
import type { LiveStream, RunPipeline } from '../server/live-stream.ts';
import { startServer } from '../server/server.ts';
import { readStreamTable, type StreamTable } from './stream-table.ts';

/** Frames in the stages at once: analysed, generated, composed, and one between. */
const FRAMES_UNDER_WAY = 4;
const MAX_LOOKAHEAD = 5;
/** A configured source that cannot be opened is tried again after this long. */
const REOPEN_MS = 10_000;

interface ServeOptions {
  readonly config?: string;
  readonly set?: string[];
  readonly mode?: string;
  readonly host: string;
  readonly port: string;
  readonly metricsPort: string;
  readonly streams?: string;
  readonly stream?: string[];
  readonly additionalHost?: string[];
  readonly udpPorts?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly lookahead: string;
}

export function registerServe(program: Command): void {
  program
    .command('serve')
    .description('relay WebRTC: WHIP in, anonymized WHEP out')
    .option('--config <file>', 'YAML file of settings')
    .option('--set <key=value...>', 'one setting')
    .option('--mode <mode>', 'generate, blur, pixelate, mask or noise')
    .option('--host <address>', 'address to listen on', '0.0.0.0')
    .option('--port <n>', 'WHIP, WHEP and the demonstration page', '8889')
    .option('--metrics-port <n>', 'Prometheus and health; 0 for none', '9998')
    .option('--streams <file>', 'YAML table of streams with their tokens and sources')
    .option('--stream <name...>', 'streams without tokens (live, a and b when nothing is given)')
    .option('--additional-host <address...>', 'addresses offered besides those of the interfaces')
    .option('--udp-ports <first-last>', 'UDP ports for WebRTC')
    .option('--tls-cert <file>', 'certificate: away from localhost a browser gives a camera to HTTPS only')
    .option('--tls-key <file>', 'its private key')
    .option('--lookahead <frames>', `frames held back to cover a face before it was found, 0 to ${MAX_LOOKAHEAD}`, '0')
    .action((options: ServeOptions) => serve(options));
}

function integer(text: string, name: string, max: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 0 && value <= max) return value;
  throw new UnderstudyError(ExitCode.usage, `${name} ${text} is not a number from 0 to ${max}`, 'correct it');
}

function portRange(text: string | undefined): { portRange?: [number, number] } {
  if (!text) return {};
  const [first, last] = text.split('-').map((part) => integer(part, '--udp-ports', 65_535));
  if (first && last && first < last) return { portRange: [first, last] };
  throw new UnderstudyError(ExitCode.usage, `--udp-ports ${text} is not a range`, 'write it like 8189-8289');
}

/** Resolves once a signal has stopped it. @throws UnderstudyError when something it needs is missing */
async function serve(options: ServeOptions): Promise<void> {
  const sets = [...(options.set ?? []), ...(options.mode ? [`mode=${options.mode}`] : [])];
  const config = loadConfig({ ...(options.config && { file: options.config }), sets, env: process.env });
  const table = readStreamTable(options.streams, options.stream ?? ['live', 'a', 'b']);
  const lookaheadFrames = integer(options.lookahead, '--lookahead', MAX_LOOKAHEAD);
  if (Boolean(options.tlsCert) !== Boolean(options.tlsKey)) {
    throw new UnderstudyError(ExitCode.usage, '--tls-cert and --tls-key belong together', 'give both or neither');
  }
  const tls = options.tlsCert && options.tlsKey ? { tls: { cert: options.tlsCert, key: options.tlsKey } } : {};
  const metricsPort = integer(options.metricsPort, '--metrics-port', 65_535);
  const log = pino({ base: null }, pino.destination(2));
  const engine = await startLiveEngine(config, (sentence) => log.warn(sentence));
  const run: RunPipeline = async ({ streamId, source, sink, stop }) => {
    const result = await runStream(engine, { source, sink, streamId, lookaheadFrames, lossless: false, stop });
    log.info({ frames: result.audit.totals.frames, veiled: result.audit.totals.veiledFrames }, 'stream ended');
  };
  const ffmpeg = config.ffmpeg.path ? { ffmpegPath: config.ffmpeg.path } : {};
  const inFlight = FRAMES_UNDER_WAY + lookaheadFrames;
  const server = await startServer(
    {
      http: { host: options.host, port: integer(options.port, '--port', 65_535), ...tls },
      ...(metricsPort > 0 && { metrics: { host: options.host, port: metricsPort } }),
      ...ffmpeg,
      ...portRange(options.udpPorts),
      streams: access(table),
      iceServers: table.iceServers.map(({ urls, username, credential }) => ({
        urls,
        ...(username && { username }),
        ...(credential && { credential }),
      })),
      additionalHosts: options.additionalHost ?? [],
      rungsKbps: [400, 1000, 2500],
      minKbps: 150,
      inFlight,
      log: (event, detail) => log.info(detail ?? {}, event),
    },
    run,
  ).catch(async (error) => {
    await engine.close();
    throw error;
  });
  const stopping = new AbortController();
  const fed = [...server.streams.values()].flatMap((stream) => {
    const address = table.streams[stream.name]?.source;
    return address ? [feed(stream, address, { ...ffmpeg, inFlight }, stopping.signal, (s) => log.warn(s))] : [];
  });
  log.info({ port: server.port, metricsPort: server.metricsPort, streams: [...server.streams.keys()] }, 'listening');
  await new Promise<void>((resolve) => {
    process.once('SIGINT', resolve);
    process.once('SIGTERM', resolve);
  });
  stopping.abort();
  await server.close();
  await Promise.all(fed);
  await engine.close();
}

function access(table: StreamTable) {
  return Object.fromEntries(
    Object.entries(table.streams).map(([name, { publishToken, viewToken }]) => [
      name,
      { ...(publishToken && { publishToken }), ...(viewToken && { viewToken }) },
    ]),
  );
}

export function startLiveEngine(config: Config, onWarning: (sentence: string) => void): Promise<Engine> {
  const { lookaheadFrames: _, ...track } = config.track;
  return Engine.start({
    mode: config.mode,
    photometry: { ...config.post },
    sessionKey: config.sessionKey ? Buffer.from(config.sessionKey, 'hex') : randomBytes(32),
    live: true,
    track: { ...config.detect, ...track },
    infer: config.infer,
    ...(config.models.dir && { modelsDir: config.models.dir }),
    ...(config.models.cacheDir && { cacheDir: config.models.cacheDir }),
    onWarning,
  });
}

/** Keeps a configured camera on its stream for as long as the server runs. */
async function feed(
  stream: LiveStream,
  address: string,
  options: { readonly ffmpegPath?: string; readonly inFlight: number },
  stop: AbortSignal,
  onWarning: (sentence: string) => void,
): Promise<void> {
  const scrubbed = withoutCredentials(address);
  while (!stop.aborted) {
    try {
      const source = address.startsWith('device:')
        ? await openDeviceSource(address.slice('device:'.length), { ...options, onWarning })
        : await openRtspSource(address, { ...options, onWarning });
      if (stop.aborted) await source.close();
      else await stream.feed(source);
    } catch (error) {
      onWarning(error instanceof UnderstudyError ? error.message : `${scrubbed} failed`);
    }
    if (stop.aborted) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(done, REOPEN_MS);
      function done() {
        clearTimeout(timer);
        stop.removeEventListener('abort', done);
        resolve();
      }
      stop.addEventListener('abort', done, { once: true });
    });
  }
}
