import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { LiveStream } from './live-stream.ts';

/** Prometheus metrics of all streams, read when they are asked for. Numbers only: no names of people, no pictures. */
export function liveMetrics(streams: () => Iterable<LiveStream>): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: 'understudy_' });
  const gauge = (name: string, help: string, value: (stream: LiveStream) => number) =>
    new Gauge({
      name: `understudy_${name}`,
      help,
      labelNames: ['stream'],
      registers: [registry],
      collect() {
        this.reset();
        for (const stream of streams()) this.set({ stream: stream.name }, value(stream));
      },
    });
  gauge('publishing', '1 while somebody publishes', (s) => Number(s.publishing));
  gauge('viewers', 'WHEP viewers', (s) => s.hub.viewers);
  gauge('pictures_received', 'pictures decoded of the present publisher', (s) => s.counts.received);
  gauge('pictures_dropped', 'pictures overtaken by a newer one (overload)', (s) => s.counts.dropped);
  gauge('pictures_blank', 'veiled frames sent while no picture arrived', (s) => s.counts.blank);
  gauge('rtp_losses', 'losses that needed a key picture', (s) => s.counts.losses);
  gauge('frames_sent', 'sealed frames handed to viewers', (s) => s.hub.frames);
  gauge('frames_not_encoded', 'sealed frames that an encoder had no room for', (s) => s.hub.dropped);
  gauge('encoder_restarts', 'encoder processes that ended and were started again', (s) => s.hub.encoderRestarts);
  gauge('pipeline_failures', 'runs of the pipeline that failed', (s) => s.failures);
  gauge('audio_delay_ms', 'how long the sound is held back to leave with its picture', (s) => s.hub.audioDelayMs);
  gauge('source_reconnects', 'times a configured source was connected again', (s) => s.counts.reconnects);
  return registry;
}
