import { ffmpegArguments, findFfmpeg, hasFilter, spawnFfmpeg } from '../../core/ffmpeg.ts';
import { NUT_OUTPUT } from '../../core/nut/constants.ts';
import type { ColourSpec } from '../../core/video-frame.ts';
import { tellsDamage } from '../decoder-lines.ts';
import { fitFilters, type Stretch, squared } from '../fit.ts';
import { DecodedFile } from './decoded-file.ts';
import { keyFramesFrom } from './key-frames.ts';
import { type FileProbe, inputError, probeFile } from './probe.ts';

export interface FileSourceOptions {
  /** Seconds into the file, and seconds to read. */
  readonly startS?: number;
  readonly durationS?: number;
  /** Frames that may be under way at once: the look-ahead and what the stages hold. */
  readonly poolFrames: number;
  /** Frames before a decoder error that may be wrong already. */
  readonly damageLookback: number;
  readonly ffmpegPath?: string;
}

/** NUT knows no time before zero: the decoder's times are moved by this much more than the file begins before zero. */
const CLEARANCE_S = 10;
/** BT.709 in 8 bits from PQ or HLG. */
const TONE_MAP = 'zscale=t=linear:npl=100,format=gbrpf32le,zscale=p=bt709,tonemap=hable,zscale=t=bt709:m=bt709:r=tv';

/**
 * A recording: its main video, with the file's own time stamps, upright, 8 bits 4:2:0.
 * @throws UnderstudyError(input|tool) before the first frame
 */
export async function openFileSource(path: string, options: FileSourceOptions): Promise<DecodedFile> {
  const tool = await findFfmpeg(options.ffmpegPath);
  const { probe, stretch } = squared(await probeFile(tool, path));
  if (probe.highDynamicRange && !(await hasFilter(tool, 'zscale'))) {
    throw inputError(
      `${path} is in high dynamic range, which this ffmpeg (${tool.version}) cannot tone-map: it has no zscale filter`,
      'install an ffmpeg with libzimg, or convert the video to BT.709 first',
    );
  }
  const { startS, durationS } = options;
  if (startS !== undefined && probe.durationUs && startS * 1e6 >= probe.durationUs) {
    throw inputError(`${path} is ${probe.durationUs / 1e6} s long, and --start is ${startS}`, 'begin earlier');
  }
  const seek = [...(startS ? ['-ss', String(startS)] : []), ...(durationS ? ['-t', String(durationS)] : [])];
  const shiftS = Math.ceil(Math.max(0, -probe.startUs / 1e6)) + CLEARANCE_S;
  const command = {
    inputs: [{ from: `file:${path}`, options: ['-copyts', ...seek] }],
    output: 'pipe:1',
    options: [
      ...['-map', '0:V:0', '-vf', filters(probe, stretch), '-vsync', '0', '-enc_time_base', '1:1000000'],
      ...['-c:v', 'rawvideo', '-output_ts_offset', String(shiftS), ...NUT_OUTPUT],
    ],
  };
  // A decoder that conceals what is missing only warns of it, or, before version 5, only mentions it.
  const args = ffmpegArguments(command, tool.modern ? 'level+warning' : 'level+info');
  const colour: ColourSpec = probe.highDynamicRange ? { matrix: 'bt709', range: 'limited' } : probe.colour;
  return new DecodedFile(path, probe, {
    colour,
    shiftUs: shiftS * 1e6,
    wholeRead: startS === undefined && durationS === undefined,
    poolFrames: options.poolFrames,
    damageLookback: options.damageLookback,
    keyFrames: (fromUs) => keyFramesFrom(tool, path, fromUs, probe.codec),
    start: (onError) => spawnFfmpeg(tool, args, (line) => tellsDamage(line) && onError(line)),
  });
}

function filters(probe: FileProbe, stretch: Stretch | undefined): string {
  const chain: string[] = [];
  if (probe.interlaced) chain.push('yadif=deint=interlaced');
  if (probe.highDynamicRange) chain.push(TONE_MAP);
  if (stretch) chain.push(`scale=iw*${stretch.x}:ih*${stretch.y}`, 'setsar=1');
  // Named both: asked for yuv420p alone, ffmpeg would squeeze full range into limited.
  const full = !probe.highDynamicRange && probe.colour.range === 'full';
  const [format, range] = full ? ['yuvj420p|yuv420p', ':in_range=full:out_range=full'] : ['yuv420p', ''];
  return [...chain, ...fitFilters(probe, format, range)].join(',');
}
