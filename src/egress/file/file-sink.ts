import type { AudioTrack } from '../../core/audio/audio-track.ts';
import { type DeliveredAudio, deliverAudio } from '../../core/audio/deliver.ts';
import { type FfmpegTool, ffmpegArguments, findFfmpeg } from '../../core/ffmpeg.ts';
import type { PictureFormat } from '../../core/video-frame.ts';
import { AUDIO_COPIED, AudioLane } from '../live/audio-lane.ts';
import type { Sink } from '../sink.ts';
import { EncodedFile } from './encoded-file.ts';
import {
  type Container,
  colourArguments,
  containerArguments,
  containerOf,
  type EncoderSettings,
  encoderArguments,
  fittedTo,
  soundEncoder,
} from './encoder-options.ts';
import { checkOutput } from './output-path.ts';

export interface FileSinkOptions extends EncoderSettings {
  readonly format: PictureFormat;
  /** Width over height of a pixel as shown, `16:15`; square when absent. */
  readonly pixelAspect?: string;
  /** Pictures a second, where they are known. */
  readonly frameRate?: number;
  /** The source's time that becomes zero in the output. */
  readonly originUs?: number;
  /** The recording whose sound is copied; undefined drops it. */
  readonly audioFrom?: {
    readonly path: string;
    readonly codec: string;
    readonly startS?: number;
    readonly durationS?: number;
  };
  /** The sound of a live source, passed on as it comes. */
  readonly liveAudio?: AudioTrack | undefined;
  readonly ffmpegPath?: string;
}

/** Nothing of the original goes in but the sound: its tags, place, chapters, subtitles, data and cover do not. */
const STRIPPED = [
  '-map_metadata',
  '-1',
  '-map_chapters',
  '-1',
  '-sn',
  '-dn',
  '-fflags',
  '+bitexact',
  '-flags:v',
  '+bitexact',
];

export async function openFileSink(path: string, options: FileSinkOptions): Promise<Sink> {
  checkOutput(path, options.audioFrom?.path);
  const tool = await findFfmpeg(options.ffmpegPath);
  const container = containerOf(path);
  const { audioFrom, format, frameRate, originUs = 0 } = options;
  const fitted = fittedTo(path, options);
  const encoder = encoderArguments(tool, fitted);
  // The limit is on the output, whose clock begins at the range; on the input it would count from the file's own.
  const until = audioFrom?.durationS ? ['-t', String(audioFrom.durationS)] : [];
  const audio = audioFrom && {
    input: {
      from: `file:${audioFrom.path}`,
      options: [
        ...['-copyts', '-itsoffset', String(-originUs / 1e6)],
        ...(audioFrom.startS ? ['-ss', String(audioFrom.startS)] : []),
      ],
    },
    arguments: [
      ...['-map', '1:a:0', '-c:a', soundEncoder(container, audioFrom.codec), '-copypriorss:a', '0', '-flags:a'],
      ...['+bitexact', ...until],
    ],
  };
  const live = options.liveAudio && (await deliverLive(tool, options.liveAudio, container));
  const filters = videoFilters(fitted);
  return new EncodedFile(tool, path, {
    ...{ format, frameRate, originUs },
    liveAudio: live && new AudioLane(live),
    cutSound: audioFrom ? { container: container.format } : undefined,
    arguments: (temporary) =>
      ffmpegArguments({
        inputs: [{ from: 'pipe:0', options: ['-f', 'nut'] }, ...(audio ? [audio.input] : [])],
        output: temporary,
        options: [
          ...[
            '-map',
            '0:v:0',
            ...(audio?.arguments ?? []),
            ...(live ? AUDIO_COPIED : []),
            '-y',
            '-copyts',
            '-vsync',
            '0',
            '-enc_time_base',
            '1:90000',
          ],
          ...(filters ? ['-vf', filters] : []),
          ...[...encoder, '-pix_fmt', 'yuv420p', ...colourArguments(format.colour), ...STRIPPED],
          ...containerArguments(container.format),
        ],
      }),
  });
}

/** Matroska, MP4 and the others carry AAC or Opus; µ-law and A-law are encoded anew. */
function deliverLive(tool: FfmpegTool, track: AudioTrack, container: Container): Promise<DeliveredAudio | undefined> {
  const carries = (['aac', 'opus'] as const).filter((codec) => container.audio.includes(codec));
  return deliverAudio(tool, track, carries, container.encoder === 'libopus' ? 'opus' : 'aac');
}

/** x264 and x265 take even sizes only: the last column or row is doubled, nothing is cut off. */
function videoFilters({ format, codec, pixelAspect }: FileSinkOptions): string {
  const [right, bottom] = [format.width % 2, format.height % 2];
  const odd = codec !== 'vp9' && right + bottom > 0;
  const even = [`pad=iw+${right}:ih+${bottom}:0:0`, `fillborders=right=${right}:bottom=${bottom}:mode=smear`];
  return [...(odd ? even : []), ...(pixelAspect ? [`setsar=${pixelAspect.replace(':', '/')}`] : [])].join(',');
}
