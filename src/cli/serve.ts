import { randomBytes } from 'node:crypto';
import type { Command } from 'commander';
import pino, { type Logger } from 'pino';
import { type Config, loadConfig } from '../config/loader.ts';
import { ExitCode, UnderstudyError } from '../core/errors.ts';
import { framesInFlight } from '../pipeline/live-addresses.ts';
import { readTls } from '../server/listen.ts';
import { type LiveServer, startServer } from '../server/server.ts';
import { collected } from './collected.ts';
import { endInterrupted } from './interruption.ts';
import { startEngine } from './run.ts';
import { opened, watchSettled } from './settings-watch.ts';
import { StreamFeeds } from './stream-feeds.ts';
import { streamRunner } from './stream-runner.ts';

interface ServeOptions {
  readonly config?: string;
  readonly set?: string[];
  readonly mode?: string;
  readonly host?: string;
  readonly port?: string;
  readonly metricsPort?: string;
  readonly stream?: string[];
  readonly additionalHost?: string[];
  readonly udpPorts?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly lookahead?: string;
}

export function registerServe(program: Command): void {
  program
    .command('serve')
    .description('relay WebRTC: WHIP in, anonymized WHEP out')
    .option('--config <file>', 'YAML file of settings; its section serve has the streams and their tokens')
    .option('--set <key=value>', 'one setting; may be given several times', collected)
    .option('--mode <mode>', 'generate, blur, pixelate, mask or noise')
    .option('--host <address>', 'serve.host: address to listen on')
    .option('--port <n>', 'serve.port: WHIP, WHEP and the demonstration page')
    .option('--metrics-port <n>', 'serve.metricsPort: Prometheus and health; 0 for none')
    .option('--stream <name...>', 'these streams, without tokens, instead of serve.streams')
    .option(
      '--additional-host <address...>',
      'serve.additionalHosts: addresses offered besides those of the interfaces',
    )
    .option('--udp-ports <first-last>', 'serve.udpPorts: UDP ports for WebRTC')
    .option('--tls-cert <file>', 'serve.tlsCert: away from localhost a browser gives a camera to HTTPS only')
    .option('--tls-key <file>', 'serve.tlsKey: its private key')
    .option('--lookahead <frames>', 'live.lookaheadFrames: frames held back to cover a face before it was found')
    .action(async (options: ServeOptions) => {
      await serve(options);
      // A session by TURN leaves werift's timer behind, which would keep this process for eight minutes.
      process.exit(ExitCode.ok);
    });
}

function settings(options: ServeOptions): Config {
  const sets = [...(options.set ?? [])];
  const put = (key: string, value: unknown) => {
    if (value !== undefined) sets.push(`${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  };
  put('mode', options.mode);
  put('serve.host', options.host);
  put('serve.port', options.port);
  put('serve.metricsPort', options.metricsPort);
  put('serve.additionalHosts', options.additionalHost);
  put('serve.udpPorts', options.udpPorts);
  put('serve.tlsCert', options.tlsCert);
  put('serve.tlsKey', options.tlsKey);
  put('live.lookaheadFrames', options.lookahead);
  put('serve.streams', options.stream && Object.fromEntries(options.stream.map((name) => [name, {}])));
  return loadConfig({ ...(options.config && { file: options.config }), sets, env: process.env });
}

/** Resolves once a signal has stopped it. @throws UnderstudyError when something it needs is missing */
async function serve(options: ServeOptions): Promise<void> {
  const config = settings(options);
  // Before the models are loaded: what is wrong with the files shows at once.
  const tls = config.serve.tlsCert && { tls: readTls(config.serve.tlsCert, config.serve.tlsKey) };
  const log = pino({ base: null }, pino.destination(2));
  const warn = (sentence: string) => log.warn(sentence);
  const sessionKey = config.sessionKey ? Buffer.from(config.sessionKey, 'hex') : randomBytes(32);
  const engine = await startEngine(config, sessionKey, {}, { live: true, onWarning: warn });
  const ffmpeg = config.ffmpeg.path ? { ffmpegPath: config.ffmpeg.path } : {};
  let current = config;
  const live = { live: config.live, keepAudio: config.serve.audio === 'keep', onWarning: warn, ...ffmpeg };
  const run = streamRunner(engine, live, (name) => current.serve.streams[name], log);
  const { serve } = config;
  let reload = () => {};
  let server: LiveServer;
  try {
    server = await startServer(
      {
        http: { host: serve.host, port: serve.port, ...tls },
        ...(serve.metricsPort > 0 && { metrics: { host: serve.host, port: serve.metricsPort } }),
        ...(serve.apiPort > 0 && { api: { host: '127.0.0.1', port: serve.apiPort } }),
        ...ffmpeg,
        ...portRange(serve.udpPorts),
        streams: serve.streams,
        iceServers: serve.iceServers.flatMap(({ urls, ...access }) =>
          [urls].flat().map((url) => ({ urls: url, ...access })),
        ),
        additionalHosts: serve.additionalHosts,
        rungsKbps: serve.rungsKbps,
        minKbps: serve.minBitrateKbps,
        passAudio: serve.audio === 'keep',
        inFlight: framesInFlight(config.live),
        isReady: () => engine.healthy,
        log: (event, detail) => log[event === 'warning' ? 'warn' : 'info'](detail ?? {}, event),
        onReload: () => reload(),
        onBatches: (observe) => {
          engine.onBatch = observe;
        },
      },
      run,
    );
  } catch (error) {
    await engine.close();
    throw error;
  }
  const feeds = new StreamFeeds(server, live);
  feeds.follow(serve.streams);
  const takeOver = (asked: boolean) => {
    current = reloaded(options, current, log, asked);
    server.update(current.serve.streams);
    feeds.follow(current.serve.streams);
    log.info({ streams: [...server.streams.keys()] }, 'settings read again');
  };
  reload = () => takeOver(true);
  const attempt = (asked: boolean) => {
    try {
      takeOver(asked);
    } catch (error) {
      const { message, remedy } = error as UnderstudyError;
      log.error(`the settings were not taken over: ${message}; ${remedy}`);
    }
  };
  const onHangUp = () => attempt(true);
  process.on('SIGHUP', onHangUp);
  const unwatch = options.config ? watchSettled(options.config, () => attempt(false)) : () => {};
  const { port, metricsPort, apiPort } = server;
  log.info({ port, metricsPort, apiPort, streams: [...server.streams.keys()] }, 'listening');
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.once(signal, () => {
        process.once(signal, () => endInterrupted(Promise.resolve(engine)));
        resolve();
      });
    }
  });
  process.off('SIGHUP', onHangUp);
  unwatch();
  await feeds.close();
  await server.close();
  await engine.close();
}

/**
 * Reads the settings again and says which changes need a restart. @throws UnderstudyError: nothing is changed then
 * @param asked by SIGHUP or the API; what only happened to the file may open nothing
 */
function reloaded(options: ServeOptions, before: Config, log: Logger, asked: boolean): Config {
  const after = settings(options);
  const loss = asked ? undefined : opened(before.serve.streams, after.serve.streams);
  if (loss) throw new UnderstudyError(ExitCode.usage, loss, 'send SIGHUP if that is meant');
  const fixed = ({ serve: { streams: _, ...rest }, ...others }: Config) => ({ ...others, ...rest });
  const [old, now] = [fixed(before), fixed(after)] as Record<string, unknown>[];
  const changed = Object.keys(now!).filter((key) => JSON.stringify(old![key]) !== JSON.stringify(now![key]));
  if (changed.length > 0) log.warn({ changed }, 'these settings are taken over at the next start only');
  return { ...before, serve: { ...before.serve, streams: after.serve.streams } };
}

function portRange(text: string): { portRange?: [number, number] } {
  const [first, last] = text.split('-').map(Number);
  if (!first || !last) return {};
  if (last - first < 1) throw new UnderstudyError(ExitCode.usage, `${text} is not a range`, 'write it like 8189-8289');
  return { portRange: [first, last] };
}
