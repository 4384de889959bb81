import { statSync } from 'node:fs';
import type { Config } from '../config/loader.ts';
import { fittedTo } from '../egress/file/encoder-options.ts';
import { openFileSink } from '../egress/file/file-sink.ts';
import { checkOutput, outputError } from '../egress/file/output-path.ts';
import { isStillName, openStillSink } from '../egress/file/still-sink.ts';
import { openFileSource } from '../ingest/file/file-source.ts';
import { checkReadable, type FileProbe, inputError } from '../ingest/file/probe.ts';
import { foreignStill, holdsFurther, stillKind } from '../ingest/file/still-format.ts';
import { openStillSource } from '../ingest/file/still-source.ts';
import type { Engine } from '../pipeline/engine.ts';
import { runStream } from '../pipeline/stream.ts';
import type { StreamProgress, StreamResult } from '../pipeline/stream-options.ts';
import type { Turn } from './turns.ts';

/** Frames in the stages beyond the look-ahead: decoding, analysed, generated, composed. */
const FRAMES_UNDER_WAY = 8;

/** Of recordings that tell none, such as a GIF of one picture. */
const USUAL_RATE = 25;

export interface FileJob {
  readonly input: string;
  readonly output: string;
  readonly config: Config;
  /** Asked for once input and output can be there; it starts while the input is being opened. */
  readonly engine: () => Promise<Engine>;
  readonly streamId?: number;
  /** Its faces are looked at when those of the files before have been. */
  readonly turn?: Turn;
  readonly startS?: number;
  readonly durationS?: number;
  readonly stop?: AbortSignal;
  /** Before the first frame. */
  readonly onStart?: (frameCount: number | undefined) => void;
  readonly onFrame?: (progress: StreamProgress) => void;
}

export interface FileOutcome {
  readonly result: StreamResult;
  readonly probe: FileProbe;
  readonly still: boolean;
  /** A picture's file holds others, of which nothing is in the output. */
  readonly further: boolean;
}

/**
 * One recording or one still picture into one file, which gets its name only when it is complete.
 * @throws UnderstudyError when nothing was written; an input that breaks off is told by `result.sourceError`
 */
export async function anonymizeFile(job: FileJob): Promise<FileOutcome> {
  const { input, output, config } = job;
  checkOutput(output, input);
  checkReadable(input);
  if (!statSync(input).isFile())
    throw inputError(
      `${input} is a pipe or a device, and a recording is read more than once`,
      'write it to a file first',
    );
  const kind = stillKind(input);
  const still = kind !== undefined;
  if (still !== isStillName(output)) {
    if (!still) checkNoPicture(input);
    throw still
      ? outputError(`${input} is a picture and ${output} is not the name of one`, 'end it in .jpg, .png or .webp')
      : outputError(
          `${input} is a video and ${output} is the name of a picture`,
          'end it in .mp4, .mov, .mkv or .webm',
        );
  }
  if (!still) fittedTo(output, config.egress);
  const ffmpeg = config.ffmpeg.path ? { ffmpegPath: config.ffmpeg.path } : {};
  const range = {
    ...(job.startS !== undefined && { startS: job.startS }),
    ...(job.durationS !== undefined && { durationS: job.durationS }),
  };
  const lookaheadFrames = still ? 0 : config.track.lookaheadFrames;
  const starting = job.engine();
  // Should the input be unusable, that is what the caller hears of.
  starting.catch(() => {});
  const source = kind
    ? await openStillSource(input, kind, ffmpeg)
    : await openFileSource(input, {
        ...range,
        ...ffmpeg,
        poolFrames: lookaheadFrames + FRAMES_UNDER_WAY,
        damageLookback: config.ingest.damageLookback,
      });
  try {
    const engine = await starting;
    const { format } = source.info;
    const { audioCodec } = source.probe;
    const sink = still
      ? await openStillSink(output, { format, inputPath: input, ...ffmpeg })
      : await openFileSink(output, {
          ...config.egress,
          ...ffmpeg,
          format,
          frameRate: source.info.frameRate ?? USUAL_RATE,
          originUs: originOf(source.probe.startUs, job.startS),
          ...(source.probe.pixelAspect && { pixelAspect: source.probe.pixelAspect }),
          ...(config.egress.audio === 'keep' &&
            audioCodec && { audioFrom: { path: input, codec: audioCodec, ...range } }),
        });
    await job.turn?.mine;
    job.onStart?.(source.info.frameCount);
    const result = await runStream(engine, {
      source,
      sink,
      lookaheadFrames,
      lossless: true,
      still,
      ...(job.streamId !== undefined && { streamId: job.streamId }),
      ...(job.stop && { stop: job.stop }),
      ...(job.onFrame && { onFrame: job.onFrame }),
      ...(still && job.turn && { onStage: (stage) => stage === 'landmarks' && job.turn?.done() }),
    });
    return { result, probe: source.probe, still, further: kind !== undefined && holdsFurther(input, kind) };
  } finally {
    await source.close();
  }
}

/** Of a file that holds further pictures. */
export const onlyFirst = (input: string, output: string): string =>
  `${input} holds several pictures, and ${output} only the first of them`;

/** @throws UnderstudyError(input) for what was given as a picture, and is one that cannot be read or none at all */
function checkNoPicture(path: string): void {
  const foreign = foreignStill(path);
  if (foreign)
    throw inputError(`${path} is a picture in ${foreign}, which is not read`, 'save it as JPEG or PNG first');
  if (isStillName(path) || /\.(bmp|tiff?)$/i.test(path))
    throw inputError(`${path} is not a picture, whatever its name says`, 'look at what it is with ffprobe');
}

/** Time stamps stay what they are, but a part of a file, and one that begins before zero or late as broadcasts do, begins at zero. */
function originOf(startUs: number, startS: number | undefined): number {
  if (startS !== undefined) return startUs + Math.round(startS * 1e6);
  return startUs < 0 || startUs > 1e6 ? startUs : 0;
}
