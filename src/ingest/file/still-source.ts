import { ffmpegArguments, findFfmpeg, spawnFfmpeg } from '../../core/ffmpeg.ts';
import { DecodedFile } from './decoded-file.ts';
import { type FileProbe, inputError, probeFile } from './probe.ts';
import { isAnimatedWebp, ORIENTATION_FILTERS, type StillKind, stillOrientation, stillSize } from './still-format.ts';

/** A picture takes 1.5 bytes a pixel in each of the stages. */
const MAX_PIXELS = 120_000_000;

/** What there is to know of a picture whose header tells its size: starting ffprobe would cost a tenth of what anonymizing it does. */
function quickProbe(path: string, kind: StillKind): FileProbe | undefined {
  const size = stillSize(path, kind);
  if (!size) return undefined;
  const colour = { matrix: 'bt601', range: 'full' } as const;
  const codec = kind === 'jpeg' ? 'mjpeg' : kind;
  return { ...size, codec, startUs: 0, hasAudio: false, colour, highDynamicRange: false, interlaced: false };
}

/**
 * One still picture as a source of one frame, upright, BT.601 full range as JPEG is. Transparency, embedded thumbnails,
 * further pictures in the file and all metadata are left behind. A damaged picture is an error, not half a picture.
 * @throws UnderstudyError(input|tool)
 */
export async function openStillSource(
  path: string,
  kind: StillKind,
  options: { readonly ffmpegPath?: string } = {},
): Promise<DecodedFile> {
  if (kind === 'webp' && isAnimatedWebp(path))
    throw inputError(`${path} is an animated WebP, which ffmpeg cannot read`, 'make a video or a GIF of it first');
  const tool = await findFfmpeg(options.ffmpegPath);
  // Named, because ffmpeg would take a % in a file name as a numbered sequence.
  const demuxer = `${kind}_pipe`;
  const probe = quickProbe(path, kind) ?? (await probeFile(tool, path, demuxer));
  if (probe.width * probe.height > MAX_PIXELS) {
    throw inputError(
      `${path} has ${probe.width}×${probe.height} pixels, more than ${MAX_PIXELS / 1e6} million`,
      'make it smaller first',
    );
  }
  const orientation = stillOrientation(path, kind);
  const turned = orientation >= 5;
  const [width, height] = turned ? [probe.height, probe.width] : [probe.width, probe.height];
  const filters = ['scale=out_color_matrix=bt601:out_range=full', 'format=yuvj420p|yuv420p'];
  const args = ffmpegArguments({
    inputs: [{ from: `file:${path}`, options: ['-f', demuxer, '-noautorotate'] }],
    output: 'pipe:1',
    options: [
      ...['-map', '0:v:0', '-frames:v', '1', '-vf', [...filters, ...ORIENTATION_FILTERS[orientation]].join(',')],
      ...['-vsync', '0', '-enc_time_base', '1:1000000', '-c:v', 'rawvideo', '-f', 'nut'],
    ],
  });
  const { frameRate: _1, durationUs: _2, ...still } = probe;
  const upright = {
    ...still,
    ...{ width, height, frameCount: 1, highDynamicRange: false, interlaced: false },
    colour: { matrix: 'bt601', range: 'full' } as const,
  };
  return new DecodedFile(path, upright, {
    ...{ colour: upright.colour, shiftUs: 0, poolFrames: 1, damageLookback: 1, wholeRead: false, refuseDamaged: true },
    keyFrames: async () => [],
    start: (onError) => spawnFfmpeg(tool, args, onError),
  });
}
