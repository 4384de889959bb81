import { copyFileSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { makeClip } from '../support/clips.ts';
import { ffmpeg, ffprobe, meanDifference, pixels, scratch, timestamps, understudy } from '../support/command.ts';

const { at } = scratch('ingest');
const clip = at('clip.mp4');
const SHORT = ['-t', '0.4', '-an'];
/** Faces covered by plain rectangles: quick, and what is not a face can be compared. */
const run = (input: string, output: string, ...more: string[]) =>
  understudy(['run', input, output, '--mode', 'mask', '--set', 'egress.crf=8', '--report', at('report.json'), ...more]);
const report = () => JSON.parse(readFileSync(at('report.json'), 'utf8'));
const totals = () => report().totals;
const video = (path: string, entries: string) =>
  ffprobe('-select_streams', 'v:0', '-show_entries', `stream=${entries}`, '-of', 'default=nk=1:nw=1', path)
    .trim()
    .split('\n');
/** Upper left corner of the first picture, where nobody is, as it is shown. */
const corner = (path: string, ...before: string[]) =>
  pixels(path, 'rgb24', '-vf', [...before, 'crop=100:100:0:0'].join(','), '-frames:v', '1');
const sameTimes = (path: string, expected: readonly number[]) => {
  const found = timestamps(path);
  expect(found.length).toBe(expected.length);
  for (const [i, t] of found.entries()) expect(Math.abs(t - expected[i]!)).toBeLessThan(0.0011);
};

beforeAll(() => makeClip(clip));

describe('pictures as they are meant to be seen', () => {
  it('turns a telephone recording upright', () => {
    ffmpeg('-i', clip, '-c', 'copy', '-metadata:s:v', 'rotate=90', at('turned.mp4'));
    expect(run(at('turned.mp4'), at('turned-out.mp4')).code).toBe(0);
    expect(video(at('turned-out.mp4'), 'width,height')).toEqual(['320', '480']);
    const below = (path: string) => pixels(path, 'rgb24', '-vf', 'crop=100:100:0:ih-100', '-frames:v', '1');
    expect(meanDifference(below(at('turned.mp4')), below(at('turned-out.mp4')))).toBeLessThan(3);
    expect(ffprobe('-show_entries', 'stream_side_data=rotation', at('turned-out.mp4'))).not.toContain('rotation');
  });

  it('takes odd sizes and loses no column', () => {
    ffmpeg('-i', clip, ...SHORT, '-vf', 'format=rgb24,crop=479:319:0:0,format=yuv444p', '-c:v', 'ffv1', at('odd.mkv'));
    expect(run(at('odd.mkv'), at('odd.mp4')).code).toBe(0);
    expect(video(at('odd.mp4'), 'width,height')).toEqual(['480', '320']);
    expect(meanDifference(corner(at('odd.mkv')), corner(at('odd.mp4')))).toBeLessThan(3);
    expect(run(at('odd.mkv'), at('odd.webm'), '--codec', 'vp9').code).toBe(0);
    expect(video(at('odd.webm'), 'width,height')).toEqual(['479', '319']);
  });

  it('takes 10 bits, tone-maps high dynamic range to BT.709, keeps full range', () => {
    ffmpeg(
      '-i',
      clip,
      ...SHORT,
      '-pix_fmt',
      'yuv420p10le',
      '-c:v',
      'libx265',
      '-x265-params',
      'log-level=error',
      at('ten.mp4'),
    );
    expect(run(at('ten.mp4'), at('ten-out.mp4')).code).toBe(0);
    expect(meanDifference(corner(at('ten.mp4')), corner(at('ten-out.mp4')))).toBeLessThan(3);

    const pq = 'zscale=tin=bt709:min=bt709:pin=bt709:t=smpte2084:m=bt2020nc:p=bt2020:npl=100,format=yuv420p10le';
    const tags = 'log-level=error:colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc';
    ffmpeg('-i', clip, ...SHORT, '-vf', pq, '-c:v', 'libx265', '-x265-params', tags, at('hdr.mp4'));
    expect(run(at('hdr.mp4'), at('hdr-out.mp4')).code).toBe(0);
    expect(video(at('hdr-out.mp4'), 'color_space,color_transfer,color_primaries')).toEqual(['bt709', 'bt709', 'bt709']);
    // Tone mapping darkens; the samples of PQ shown as they are would be 50 and more away.
    expect(meanDifference(corner(clip), corner(at('hdr-out.mp4')))).toBeLessThan(35);

    ffmpeg('-i', clip, ...SHORT, '-vf', 'scale=out_range=full,format=yuvj420p', '-color_range', 'pc', at('full.mp4'));
    expect(run(at('full.mp4'), at('full-out.mp4')).code).toBe(0);
    expect(video(at('full-out.mp4'), 'color_range')).toEqual(['pc']);
    expect(meanDifference(corner(at('full.mp4')), corner(at('full-out.mp4')))).toBeLessThan(3);
  });

  it('takes interlaced pictures and pixels that are not square', () => {
    const interlaced = ['-vf', 'interlace', '-flags', '+ilme+ildct', '-x264opts', 'tff=1'];
    ffmpeg('-i', clip, ...SHORT, ...interlaced, at('interlaced.mp4'));
    expect(video(at('interlaced.mp4'), 'field_order')).toEqual(['tt']);
    expect(run(at('interlaced.mp4'), at('interlaced-out.mp4')).code).toBe(0);
    expect(video(at('interlaced-out.mp4'), 'field_order')).toEqual(['progressive']);
    sameTimes(at('interlaced-out.mp4'), timestamps(at('interlaced.mp4')));
    ffmpeg('-i', clip, ...SHORT, '-vf', 'setsar=16/15', at('wide.mp4'));
    expect(run(at('wide.mp4'), at('wide-out.mp4')).code).toBe(0);
    expect(video(at('wide-out.mp4'), 'sample_aspect_ratio')).toEqual(['16:15']);
  });

  it('makes pixels square that are twice as wide as high, or the reverse: in squeezed faces the detector is blind', () => {
    const [width, height] = video(clip, 'width,height').map(Number) as [number, number];
    for (const [name, filter, shown] of [
      ['half', 'scale=iw/2:ih,setsar=2', [2 * (width >> 1), height]],
      ['low', 'scale=iw:ih/2,setsar=1/2', [width, 2 * (height >> 1)]],
    ] as const) {
      ffmpeg('-i', clip, ...SHORT, '-vf', filter, at(`${name}.mp4`));
      expect(run(at(`${name}.mp4`), at(`${name}-out.mp4`)).code).toBe(0);
      expect(video(at(`${name}-out.mp4`), 'width,height,sample_aspect_ratio')).toEqual([...shown.map(String), '1:1']);
    }
  });

  it('takes the first video stream and no cover picture', () => {
    ffmpeg('-i', clip, '-frames:v', '1', at('cover.png'));
    const maps = [
      '-map',
      '1:v',
      '-map',
      '0:v',
      '-map',
      '2:v',
      '-map',
      '0:a',
      '-c',
      'copy',
      '-disposition:v:0',
      'attached_pic',
    ];
    ffmpeg(
      '-i',
      clip,
      '-f',
      'lavfi',
      '-i',
      'color=red:s=64x64:d=0.2',
      ...SHORT.slice(0, 2),
      '-c:v',
      'libx264',
      '-map',
      '1',
      at('red.mp4'),
    );
    ffmpeg('-i', clip, '-i', at('cover.png'), '-i', at('red.mp4'), ...maps, at('several.mkv'));
    expect(run(at('several.mkv'), at('several-out.mkv')).code).toBe(0);
    expect(
      ffprobe('-show_entries', 'stream=codec_type', '-of', 'csv=p=0', at('several-out.mkv')).trim().split('\n'),
    ).toEqual(['video', 'audio']);
    expect(video(at('several-out.mkv'), 'width,height')).toEqual(['480', '320']);
  });
});

describe('time', () => {
  it('cuts exactly, pictures and sound alike', () => {
    expect(run(clip, at('part.mp4'), '--start', '0.3', '--duration', '0.5').code).toBe(0);
    expect(report().complete).toBe(true);
    const kept = timestamps(clip).filter((t) => t >= 0.3 && t < 0.8);
    sameTimes(
      at('part.mp4'),
      kept.map((t) => t - 0.3),
    );
    const sound = ffprobe('-select_streams', 'a', '-show_entries', 'packet=pts_time', '-of', 'csv=p=0', at('part.mp4'));
    const times = sound.split('\n').filter(Boolean).map(Number.parseFloat);
    expect(Math.min(...times)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...times)).toBeLessThan(0.5);
    const first = run(clip, at('x.mp4'), '--start', '5');
    expect(first.code).toBe(4);
    expect(first.stderr).toMatch(/clip\.mp4 is 1(\.\d+)? s long, and --start is 5/);
  });

  it('moves a recording that begins before zero, or late, to zero, with its sound', () => {
    const early = ['-output_ts_offset', '-0.5', '-avoid_negative_ts', 'disabled'];
    ffmpeg('-i', clip, '-c:v', 'libvpx', '-c:a', 'libopus', ...early, at('early.mkv'));
    const before = timestamps(at('early.mkv'));
    expect(before[0]).toBeLessThan(-0.4);
    expect(run(at('early.mkv'), at('early-out.mp4')).code).toBe(0);
    const origin = Number(ffprobe('-show_entries', 'format=start_time', '-of', 'csv=p=0', at('early.mkv')));
    sameTimes(
      at('early-out.mp4'),
      before.map((t) => t - origin),
    );
    ffmpeg('-i', clip, '-c', 'copy', at('broadcast.ts'));
    const late = timestamps(at('broadcast.ts'));
    expect(late[0]).toBeGreaterThan(1);
    expect(run(at('broadcast.ts'), at('broadcast-out.mp4')).code).toBe(0);
    const found = timestamps(at('broadcast-out.mp4'));
    sameTimes(
      at('broadcast-out.mp4'),
      late.map((t) => t - late[0]! + found[0]!),
    );
    expect(found[0]).toBeLessThan(0.1);
  });

  it('says where times go back, as where two recordings were put together, and how to mend that', () => {
    ffmpeg('-i', clip, '-c', 'copy', at('half.ts'));
    writeFileSync(at('joined.ts'), Buffer.concat([readFileSync(at('half.ts')), readFileSync(at('half.ts'))]));
    const { code, stderr } = run(at('joined.ts'), at('joined.mp4'));
    expect(stderr).toMatch(
      /the times of .*joined\.ts go back or stand still at 2\.4 s: .* ffmpeg -i OLD -c copy NEW\.mkv/,
    );
    expect(code).toBe(4);
    expect(report().complete).toBe(false);
    ffmpeg('-i', at('joined.ts'), '-c', 'copy', at('mended.mkv'));
    expect(run(at('mended.mkv'), at('mended.mp4')).code).toBe(0);
    expect(timestamps(at('mended.mp4')).at(-1)).toBeGreaterThan(1.8);
  });
});

describe('damage', () => {
  it('veils from before the damage to the next key picture that is certainly after it', () => {
    makeClip(at('long.mp4'), 4);
    ffmpeg('-i', at('long.mp4'), '-an', '-c', 'copy', at('damaged.mkv'));
    const bytes = readFileSync(at('damaged.mkv'));
    for (let i = 0; i < 40; i++) bytes[Math.floor(bytes.length * (0.2 + 0.001 * i))]! ^= 0x55;
    writeFileSync(at('damaged.mkv'), bytes);
    const { code, stderr } = run(at('damaged.mkv'), at('damaged-out.mp4'));
    expect(code).toBe(0);
    expect(stderr).toMatch(
      /^understudy: \d+ of \d+ pictures of .*damaged-out\.mp4 are grey: .*damaged\.mkv is damaged/m,
    );
    const { frames, veiledFrames, decodeErrors, veiledBy } = totals();
    expect(decodeErrors).toBeGreaterThan(0);
    expect(veiledBy).toEqual({ damaged: veiledFrames });
    expect(frames).toBeGreaterThan(90);
    expect(veiledFrames).toBeGreaterThan(20);
    // A key picture comes every ten frames: it ends again.
    expect(veiledFrames).toBeLessThan(80);
    const luma = pixels(at('damaged-out.mp4'), 'gray', '-vf', 'scale=1:1');
    const plain = [...luma].filter((y) => y === luma[frames >> 2]).length;
    expect(plain).toBeGreaterThanOrEqual(veiledFrames - 2);
    expect(luma.at(-1)).not.toBe(luma[frames >> 2]);
  });

  it('keeps what came before a file breaks off, and says so', () => {
    ffmpeg('-i', clip, '-c', 'copy', at('cut.mkv'));
    truncateSync(at('cut.mkv'), Math.floor(statSync(at('cut.mkv')).size * 0.7));
    const { code, stderr } = run(at('cut.mkv'), at('cut-out.mp4'));
    expect(code).toBe(4);
    expect(stderr).toMatch(/cut\.mkv ends early: .*; what came before it has been anonymized and kept/);
    expect(report().complete).toBe(false);
    expect(timestamps(at('cut-out.mp4')).length).toBe(totals().frames);
    expect(totals().frames - totals().veiledFrames).toBeGreaterThan(5);
    copyFileSync(clip, at('cut.mp4'));
    truncateSync(at('cut.mp4'), Math.floor(statSync(clip).size * 0.7));
    const noIndex = run(at('cut.mp4'), at('cut-out-2.mp4'));
    expect(noIndex.code).toBe(4);
    expect(noIndex.stderr).toMatch(/cut\.mp4 is not a video that ffmpeg can read/);
  });
});
