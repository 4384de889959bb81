import type { Logger } from 'pino';
import type { StreamSettings } from '../config/live-schema.ts';
import type { AudioTrack } from '../core/audio/audio-track.ts';
import { FanOutSink } from '../egress/fan-out-sink.ts';
import { openSegmentSink } from '../egress/live/segment-sink.ts';
import { ReopenedSink } from '../egress/reopened-sink.ts';
import type { Sink } from '../egress/sink.ts';
import type { Engine } from '../pipeline/engine.ts';
import { type LiveAddressOptions, openLiveSink } from '../pipeline/live-addresses.ts';
import { runStream } from '../pipeline/stream.ts';
import type { RunPipeline } from '../server/live-stream-options.ts';

/** The pipeline as the server calls it: one publisher's pictures to the viewers and to the outputs of the settings. */
export function streamRunner(
  engine: Engine,
  options: LiveAddressOptions,
  settingsOf: (name: string) => StreamSettings | undefined,
  log: Logger,
): RunPipeline {
  const { live } = options;
  return async ({ name, streamId, source, sink, stop, stats, detail, viewersOnly }) => {
    const warn = (error: unknown) =>
      log.warn({ stream: name }, error instanceof Error ? error.message : 'an output failed');
    const settings = viewersOnly ? undefined : settingsOf(name);
    const others = await openOthers(name, settings, source.audio, options, warn);
    const fan = others.length > 0 ? new FanOutSink(sink, others, warn) : undefined;
    let missed = 0;
    const countMissed = () => {
      if (!fan || fan.missed === missed) return;
      stats.outputsDropped(fan.missed - missed);
      missed = fan.missed;
    };
    const result = await runStream(engine, {
      source,
      sink: fan ?? sink,
      streamId,
      lookaheadFrames: live.lookaheadFrames,
      deadlineMs: live.deadlineMs,
      lossless: false,
      stop,
      detail,
      onFrame: ({ audit }) => {
        stats.frame(audit.totals);
        countMissed();
      },
      onStage: (stage, ms) => stats.stage(stage, ms),
    });
    const { frames, veiledFrames } = result.audit.totals;
    if (!viewersOnly) log.info({ stream: name, frames, veiled: veiledFrames }, 'stream ended');
    if (result.sourceError) warn(result.sourceError);
  };
}

/** An output that cannot be opened is told of and tried again: it must not cost the viewers their picture. */
export function openOthers(
  name: string,
  settings: StreamSettings | undefined,
  audio: AudioTrack | undefined,
  options: LiveAddressOptions,
  warn: (error: unknown) => void,
): Promise<Sink[]> {
  const { live } = options;
  const folder = settings?.recordTo;
  const recording = (to: string) =>
    openSegmentSink(to, {
      name,
      audio,
      segmentS: live.segmentS,
      bitrateKbps: live.bitrateKbps,
      keyIntervalS: live.keyIntervalS,
      onWarning: options.onWarning,
      ...(options.ffmpegPath && { ffmpegPath: options.ffmpegPath }),
    });
  const openings: (() => Promise<Sink>)[] = [
    ...(settings?.outputs ?? []).map((address) => async () => openLiveSink(address, options, audio)),
    ...(folder ? [async () => recording(folder)] : []),
  ];
  return Promise.all(openings.map((open) => ReopenedSink.open(open, warn)));
}
