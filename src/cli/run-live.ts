import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import type { Config } from '../config/loader.ts';
import { ExitCode, UnderstudyError } from '../core/errors.ts';
import { isLiveAddress, SENDING_FORMS, sendingProblem, withoutCredentials } from '../core/stream-address.ts';
import { FanOutSink } from '../egress/fan-out-sink.ts';
import { fittedTo } from '../egress/file/encoder-options.ts';
import { openFileSink } from '../egress/file/file-sink.ts';
import { checkOutput, checkReport, outputError, sameFile } from '../egress/file/output-path.ts';
import type { Sink } from '../egress/sink.ts';
import { withoutFace } from '../guard/audit-record.ts';
import type { LiveSource } from '../ingest/live/live-source.ts';
import { openLiveSink, openLiveSource } from '../pipeline/live-addresses.ts';
import { OverloadWatch } from '../pipeline/overload-watch.ts';
import { runStream } from '../pipeline/stream.ts';
import type { StreamResult } from '../pipeline/stream-options.ts';
import { endInterrupted } from './interruption.ts';
import { ProgressLine } from './progress.ts';
import { lengthSeconds, progressStyle, type RunOptions, settings, startEngine } from './run.ts';

/** `run` with a stream on at least one side. @returns the process's exit code; throws UnderstudyError */
export async function runLive(input: string, output: string, options: RunOptions): Promise<number> {
  const config = settings(options);
  const durationS = lengthSeconds(options.duration, '--duration');
  if (options.start !== undefined) {
    throw new UnderstudyError(ExitCode.usage, '--start does not apply to a live stream', 'leave it out');
  }
  const progress = new ProgressLine(progressStyle(options.progress));
  const outputs = [output, ...(options.also ?? [])];
  checkLiveOutputs(input, outputs, config);
  if (options.report) checkReport(options.report, [input].filter(isFile), outputs.filter(isFile));
  const onWarning = (sentence: string) => process.stderr.write(`understudy: ${sentence}\n`);
  const shared = {
    live: config.live,
    keepAudio: config.egress.audio === 'keep',
    onWarning,
    ...(config.ffmpeg.path && { ffmpegPath: config.ffmpeg.path }),
  };
  const stop = new AbortController();
  let signals = 0;
  let begun = false;
  // The models take longer to load than a camera to answer: both at once, and neither outlives the other's failure.
  const engineStart = startEngine(config, key(config), {}, { live: true });
  engineStart.catch(() => {});
  // All that was written is complete: what remains to be done is not to be cut off, nor called interrupted.
  let complete = false;
  const onSignal = () => {
    if (complete) return;
    if (++signals === 2) endInterrupted(engineStart);
    stop.abort();
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  let source: LiveSource | undefined;
  try {
    source = await openLiveSource(input, { ...shared, loop: false });
    const watch = new OverloadWatch(source, onWarning);
    const engine = await engineStart;
    const sinks = await openSinks(outputs, source, config, shared);
    const failures = new Map<Sink, unknown>();
    const sink = fanOut(sinks, (error, failed) => {
      if (!failures.has(failed)) failures.set(failed, error);
      onWarning(`a further output failed (${reasonOf(error)}); the others go on`);
    });
    progress.start(undefined);
    const timer = durationS === undefined ? undefined : setTimeout(() => stop.abort(), durationS * 1000);
    const result = await runStream(engine, {
      source,
      sink,
      lookaheadFrames: config.live.lookaheadFrames,
      deadlineMs: config.live.deadlineMs,
      lossless: false,
      stop: stop.signal,
      detail: () => watch.detail,
      onFrame: (p) => {
        begun = true;
        progress.frame(p);
      },
    }).finally(() => {
      clearTimeout(timer);
      watch.close();
    });
    // Stopped before the first picture, or stopped twice: there is no output.
    if (signals > 1 || (signals > 0 && result.audit.totals.frames === 0)) return ExitCode.interrupted;
    complete = true;
    progress.end(result);
    if (options.report) writeReport(options.report, { input, output, outputs, source, result, sinks, sink, failures });
    if (result.sourceError) throw result.sourceError;
    // The others were worth going on for; but a file that was asked for is missing.
    for (const failure of failures.values()) throw failure;
    if (sinks.every(({ delivered }) => delivered === false))
      throw outputError(
        `no picture could be delivered to ${outputs.map(withoutCredentials).join(', ')}`,
        'check that somebody takes it there',
      );
    if (withoutFace(result.audit.totals) && !options.allowNoFace) {
      const files = outputs.filter(isFile);
      const remedy =
        files.length > 0 ? `look at ${files.join(' and ')} before you trust it, or pass --allow-no-face` : '';
      onWarning(`no face was found in ${withoutCredentials(input)}${remedy && `; ${remedy}`}`);
      if (files.length > 0) return ExitCode.noFace;
    }
    // A signal is the usual end of a live stream.
    return ExitCode.ok;
  } catch (error) {
    // Whatever fails before the first picture then, or after the second, fails because of the signal.
    if (signals > 1 || (signals > 0 && !begun)) return ExitCode.interrupted;
    throw error;
  } finally {
    await source?.close();
    await engineStart.then(
      (engine) => engine.close(),
      () => {},
    );
    process.off('SIGINT', onSignal);
    process.off('SIGTERM', onSignal);
  }
}

const isFile = (address: string): boolean => !isLiveAddress(address);

/** Before anything is opened. @throws UnderstudyError(output) when two are one, or one is the recording that is played */
function checkLiveOutputs(input: string, outputs: readonly string[], config: Config): void {
  for (const [i, to] of outputs.entries()) {
    if (isFile(to)) {
      checkOutput(to, isFile(input) ? input : undefined);
      fittedTo(to, config.egress);
    } else if (sendingProblem(to)) {
      throw outputError(`${withoutCredentials(to)} ${sendingProblem(to)}`, `use ${SENDING_FORMS}, or a file`);
    }
    const same = (other: string) => other === to || (isFile(other) && isFile(to) && sameFile(other, to));
    if (outputs.slice(0, i).some(same))
      throw outputError(`the output ${withoutCredentials(to)} is named twice`, 'name each output once');
  }
}

function key(config: Config): Uint8Array {
  return config.sessionKey ? Buffer.from(config.sessionKey, 'hex') : randomBytes(32);
}

async function openSinks(
  addresses: readonly string[],
  source: LiveSource,
  config: Config,
  shared: Parameters<typeof openLiveSink>[1],
): Promise<Sink[]> {
  const opened: Sink[] = [];
  try {
    for (const address of addresses) {
      opened.push(
        isLiveAddress(address)
          ? await openLiveSink(address, shared, source.audio)
          : await openFileSink(address, {
              ...config.egress,
              format: source.info.format,
              liveAudio: source.audio,
              ...(shared.ffmpegPath && { ffmpegPath: shared.ffmpegPath }),
            }),
      );
    }
  } catch (error) {
    await Promise.all(opened.map((sink) => sink.abort()));
    throw error;
  }
  return opened;
}

function fanOut([first, ...others]: readonly Sink[], onFailure: (error: unknown, sink: Sink) => void): Sink {
  return others.length === 0 ? first! : new FanOutSink(first!, others, onFailure);
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : 'unknown');

interface LiveRun {
  readonly input: string;
  readonly output: string;
  readonly outputs: readonly string[];
  readonly source: LiveSource;
  readonly result: StreamResult;
  readonly sinks: readonly Sink[];
  readonly sink: Sink;
  /** Of further outputs: why they were left out. */
  readonly failures: ReadonlyMap<Sink, unknown>;
}

function writeReport(path: string, run: LiveRun): void {
  const { input, output, outputs, source, result, sinks, sink, failures } = run;
  const report = {
    input: withoutCredentials(input),
    output: withoutCredentials(output),
    totals: { ...result.audit.totals, decodeErrors: result.decodeErrors },
    pictures: source.counts,
    outputs: sinks.map((one, i) => {
      const { dropped = 0, delivered = true } = one;
      const failed = failures.has(one) && { failed: reasonOf(failures.get(one)) };
      return { to: withoutCredentials(outputs[i]!), dropped, delivered: delivered && !failed, ...failed };
    }),
    ...(sink instanceof FanOutSink && { missedByFurther: sink.missed }),
    ...(source.audio && { sound: { dropped: source.audio.drops } }),
    reconnects: source.reconnects,
    firstFrameMs: result.firstFrameMs,
    stages: result.timings.summary(),
  };
  try {
    writeFileSync(path, `${JSON.stringify(report, null, 2)}\n`);
  } catch (cause) {
    throw new UnderstudyError(ExitCode.output, `the report ${path} could not be written`, 'check its folder', {
      cause,
    });
  }
}
