import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { ModelStore } from '../../src/infer/model-store.ts';
import { foreignStill, holdsFurther, isAnimatedWebp } from '../../src/ingest/file/still-format.ts';
import { ffmpeg, ffprobe, meanDifference, pixels, scratch, understudy } from '../support/command.ts';
import { exifWith } from '../support/exif.ts';
import { pngWith, tiffOf, webpWith } from '../support/pictures.ts';

const { at } = scratch('several');
const [WIDTH, HEIGHT] = [480, 320];
let run: ReturnType<typeof understudy>;

beforeAll(() => {
  mkdirSync(at('in'));
  const photo = ModelStore.open().verify('demo-photo-5');
  ffmpeg('-i', photo, '-vf', `scale=${WIDTH}:-2,crop=${WIDTH}:${HEIGHT}:0:0`, '-q:v', '2', at('first.jpg'));
  ffmpeg('-i', at('first.jpg'), '-vf', 'hflip', '-q:v', '2', at('second.jpg'));
  ffmpeg('-i', at('first.jpg'), '-vf', 'scale=160:-2', at('thumbnail.jpg'));
  const [first, second, thumbnail] = ['first', 'second', 'thumbnail'].map((name) => readFileSync(at(`${name}.jpg`)));
  const both = ['-i', at('first.jpg'), '-i', at('second.jpg'), '-filter_complex', 'concat=n=2'];
  ffmpeg(...both, '-f', 'apng', at('in/animated.png'));
  ffmpeg(...both, at('in/animated.gif'));
  ffmpeg('-i', at('first.jpg'), at('in/still.gif'));
  // As MPO files, and photographs with a depth or gain map, hold them: one JPEG after the other.
  writeFileSync(at('in/stereo.jpg'), Buffer.concat([first!, second!]));
  const page = (name: string) => ({ width: WIDTH, height: HEIGHT, gray: pixels(at(name), 'gray') });
  writeFileSync(at('in/pages.tif'), tiffOf([page('first.jpg'), page('second.jpg')]));
  writeFileSync(at('in/preview.tif'), tiffOf([page('first.jpg'), { ...page('second.jpg'), reduced: true }]));
  const marks = { exif: exifWith(1, thumbnail!).subarray(6), profile: 'secret profile', xmp: 'secret preview' };
  ffmpeg('-i', at('first.jpg'), at('plain.png'));
  ffmpeg('-i', at('first.jpg'), at('plain.webp'));
  writeFileSync(at('in/marked.png'), pngWith(readFileSync(at('plain.png')), marks));
  writeFileSync(at('in/marked.webp'), webpWith(readFileSync(at('plain.webp')), { ...marks, size: [WIDTH, HEIGHT] }));
  writeFileSync(at('in/moving.webp'), webpWith(Buffer.alloc(12), { size: [WIDTH, HEIGHT], animated: true }));
  writeFileSync(at('in/telephone.jpg'), Buffer.concat([Buffer.from('\0\0\0\x18ftypheic\0\0\0\0'), Buffer.alloc(64)]));
  writeFileSync(at('in/head.png'), readFileSync(at('plain.png')).subarray(0, 33));
  writeFileSync(at('in/words.jpg'), 'this is no picture');
  run = understudy(['run', at('in'), at('out'), '--mode', 'mask', '--report', at('report.json')]);
}, 120_000);

const faces = (name: string): number =>
  JSON.parse(readFileSync(at('report.json'), 'utf8')).files.find((f: { input: { path: string } }) =>
    f.input.path.endsWith(name),
  ).totals.faces;
/** Upper left corner, where nobody is. */
const corner = (path: string) => pixels(path, 'gray', '-vf', 'crop=100:60:0:0', '-frames:v', '1');

describe('a file that holds several pictures', () => {
  it('is known by what somebody would miss: not by thumbnails and previews', () => {
    expect(holdsFurther(at('in/animated.png'), 'png')).toBe(true);
    expect(holdsFurther(at('in/pages.tif'), 'tiff')).toBe(true);
    expect(holdsFurther(at('in/preview.tif'), 'tiff')).toBe(false);
    expect(holdsFurther(at('in/marked.png'), 'png')).toBe(false);
    expect(holdsFurther(at('in/stereo.jpg'), 'jpeg')).toBe(false);
    expect(isAnimatedWebp(at('in/moving.webp'))).toBe(true);
    expect(isAnimatedWebp(at('in/marked.webp'))).toBe(false);
    expect(foreignStill(at('in/telephone.jpg'))).toBe('HEIC');
    expect(foreignStill(at('in/stereo.jpg'))).toBe(undefined);
  });

  it('becomes its first picture, anonymized, and the user is told', () => {
    for (const name of ['animated.png', 'stereo.jpg', 'pages.tif', 'preview.tif']) {
      const out = at(`out/${name}${name.endsWith('tif') ? '.png' : ''}`);
      expect(ffprobe('-count_frames', '-show_entries', 'stream=nb_read_frames', '-of', 'csv=p=0', out).trim()).toBe(
        '1',
      );
      expect(faces(name), name).toBeGreaterThanOrEqual(4);
      expect(meanDifference(corner(out), corner(at('first.jpg'))), name).toBeLessThan(4);
      const told = run.stderr.includes(`${name} holds several pictures, and ${out} only the first of them`);
      expect(told, run.stderr).toBe(['animated.png', 'pages.tif'].includes(name));
    }
    // No second picture behind the first.
    expect(readFileSync(at('out/stereo.jpg')).indexOf(Buffer.from([0xff, 0xd8]), 2)).toBe(-1);
    expect(pixels(at('out/stereo.jpg'), 'gray')).toHaveLength(WIDTH * HEIGHT);
  });

  it('becomes a video with everybody covered in all of it when it is a GIF', () => {
    expect(faces('animated.gif')).toBeGreaterThanOrEqual(8);
    // As players show it: a last picture that takes no time would be left out.
    expect(pixels(at('out/animated.gif.mp4'), 'gray')).toHaveLength(2 * WIDTH * HEIGHT);
    expect(pixels(at('out/still.gif.mp4'), 'gray')).toHaveLength(WIDTH * HEIGHT);
  });

  it('is refused with the reason when ffmpeg cannot read it', () => {
    expect(run.stderr).toMatch(/moving\.webp is an animated WebP, which ffmpeg cannot read; make a video or a GIF/);
    expect(run.stderr).toMatch(/telephone\.jpg is a picture in HEIC, which is not read; save it as JPEG or PNG first/);
    expect(run.stderr).toMatch(/words\.jpg is not a picture, whatever its name says; look at what it is/);
    // ffmpeg's reason, and not what it says after it.
    expect(run.stderr).toMatch(/no picture could be decoded from .*head\.png \((?!Error marking)/);
    expect(run.code).toBe(4);
    for (const name of ['moving.webp', 'telephone.jpg', 'words.jpg']) expect(existsSync(at(`out/${name}`))).toBe(false);
  });
});

describe('what a PNG, WebP or TIFF carries beside its picture', () => {
  it('stays behind: thumbnail, profile, XMP', () => {
    const thumbnail = readFileSync(at('thumbnail.jpg'));
    for (const name of ['marked.png', 'marked.webp']) {
      const [before, after] = [readFileSync(at(`in/${name}`)), readFileSync(at(`out/${name}`))];
      for (const secret of ['secret profile', 'secret preview', thumbnail.subarray(100, 200)]) {
        expect(before.includes(secret), name).toBe(true);
        expect(after.includes(secret), name).toBe(false);
      }
      expect(after.toString('latin1')).not.toMatch(/eXIf|iCCP|ICCP|EXIF|XMP|iTXt|tEXt|zTXt|VP8X/);
      expect(faces(name), name).toBeGreaterThanOrEqual(4);
    }
  });
});
