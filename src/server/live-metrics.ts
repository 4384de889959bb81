import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
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
  const counter = (
    name: string,
    help: string,
    values: (stream: LiveStream) => Readonly<Record<string, number>>,
    labels: string[] = [],
  ) =>
    new Counter({
      name: `understudy_${name}`,
      help,
      labelNames: ['stream', ...labels],
      registers: [registry],
      collect() {
        this.reset();
        for (const stream of streams()) {
          for (const [label, count] of Object.entries(values(stream))) {
            this.inc({ stream: stream.name, ...(labels[0] && { [labels[0]]: label }) }, count);
          }
        }
      },
    });
  gauge('publishing', '1 while somebody publishes', (s) => Number(s.publishing));
  gauge('viewers', 'WHEP viewers', (s) => s.hub.viewers);
  gauge('pictures_received', 'pictures decoded of the present publisher', (s) => s.counters.present.received);
  gauge('pictures_dropped', 'pictures overtaken by a newer one (overload)', (s) => s.counters.present.dropped);
  gauge('pictures_blank', 'veiled frames sent while no picture arrived', (s) => s.counters.present.blank);
  gauge('rtp_losses', 'losses that needed a key picture', (s) => s.counters.present.losses);
  gauge('frames_sent', 'sealed frames handed to viewers', (s) => s.hub.frames);
  gauge('frames_not_encoded', 'sealed frames that an encoder had no room for', (s) => s.hub.dropped);
  gauge('encoder_restarts', 'encoder processes that ended and were started again', (s) => s.hub.encoderRestarts);
  gauge('pipeline_failures', 'runs of the pipeline that failed', (s) => s.failures);
  gauge('audio_delay_ms', 'how long the sound is held back to leave with its picture', (s) => s.hub.audioDelayMs);
  new Gauge({
    name: 'understudy_fps',
    help: 'pictures that arrive (in) and sealed frames that leave (out) a second, over the last five seconds',
    labelNames: ['stream', 'direction'],
    registers: [registry],
    collect() {
      this.reset();
      for (const { name: stream, fps } of streams()) {
        this.set({ stream, direction: 'in' }, fps.in.perSecond);
        this.set({ stream, direction: 'out' }, fps.out.perSecond);
      }
    },
  });
  counter('pictures_total', 'pictures decoded, of all publishers', (s) => ({ '': s.counters.total.received }));
  counter('drops_total', 'pictures and frames left out, by reason', dropsOf, ['reason']);
  gauge('source_reconnects', 'times a configured source was connected again', (s) => s.counters.present.reconnects);
  return registry;
}

/**
 * `overtaken`: by a newer picture, for the stages were busy; `rate`: the rate is lowered under lasting overload; `decoder`, `encoder`: it was
 * behind; `deadline`: too old when it should have left. What further outputs miss is counted beside (`understudy_output_frames_dropped_total`).
 */
function dropsOf({ counters, hub, late }: LiveStream): Record<string, number> {
  const { dropped, thinned, skipped } = counters.total;
  return { overtaken: dropped - thinned, rate: thinned, decoder: skipped, encoder: hub.dropped, deadline: late };
}
