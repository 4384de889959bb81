import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { ModelStore } from '../../src/infer/model-store.ts';
import { stillKind, stillOrientation } from '../../src/ingest/file/still-format.ts';
import { ffmpeg, ffprobe, meanDifference, pixels, scratch, understudy } from '../support/command.ts';
import { exifWith, segmentMarkers, withSegments } from '../support/exif.ts';

const { at } = scratch('stills');
const WIDTH = 480;
/** Filters that store a picture so that the orientation brings it back. */
const STORE: Record<number, string> = {
  1: 'null',
  2: 'hflip',
  3: 'hflip,vflip',
  4: 'vflip',
  5: 'transpose=0',
  6: 'transpose=2',
  7: 'transpose=3',
  8: 'transpose=1',
};
const size = (path: string) =>
  ffprobe('-show_entries', 'stream=width,height', '-of', 'csv=p=0', path).trim().split(',').map(Number);

beforeAll(() => {
  const photo = ModelStore.open().verify('demo-photo-5');
  ffmpeg('-i', photo, '-vf', `scale=${WIDTH}:-2`, '-q:v', '2', at('upright.jpg'));
  ffmpeg('-i', at('upright.jpg'), '-vf', 'scale=80:-2', at('thumbnail.jpg'));
  const thumbnail = readFileSync(at('thumbnail.jpg'));
  for (const orientation of [1, 2, 3, 4, 5, 6, 7, 8]) {
    ffmpeg('-i', at('upright.jpg'), '-vf', STORE[orientation]!, '-q:v', '1', at('plain.jpg'));
    const marked = withSegments(readFileSync(at('plain.jpg')), [
      { marker: 0xe1, data: exifWith(orientation, thumbnail) },
      { marker: 0xe1, data: Buffer.from('http://ns.adobe.com/xap/1.0/\0<x:xmpmeta>secret person</x:xmpmeta>') },
      { marker: 0xfe, data: Buffer.from('secret comment') },
    ]);
    writeFileSync(at(`turned-${orientation}.jpg`), marked);
  }
});

describe('orientation', () => {
  it('is read from JPEG, PNG, WebP and TIFF, and 1 where there is none or nonsense', () => {
    for (const n of [1, 2, 3, 4, 5, 6, 7, 8]) expect(stillOrientation(at(`turned-${n}.jpg`), 'jpeg')).toBe(n);
    const tiff = exifWith(6, Buffer.alloc(0)).subarray(6);
    writeFileSync(at('o.tiff'), tiff);
    expect(stillKind(at('o.tiff'))).toBe('tiff');
    expect(stillOrientation(at('o.tiff'), 'tiff')).toBe(6);
    const u32 = (n: number, little: boolean) => {
      const bytes = Buffer.alloc(4);
      little ? bytes.writeUInt32LE(n) : bytes.writeUInt32BE(n);
      return bytes;
    };
    const png = [Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), u32(1, false), Buffer.from('tEXta\0\0\0\0')];
    writeFileSync(
      at('o.png'),
      Buffer.concat([...png, u32(tiff.length, false), Buffer.from('eXIf'), tiff, u32(0, false)]),
    );
    expect(stillOrientation(at('o.png'), 'png')).toBe(6);
    const riff = [Buffer.from('RIFF\0\0\0\0WEBPICCP'), u32(3, true), Buffer.from('abc\0EXIF'), u32(tiff.length, true)];
    writeFileSync(at('o.webp'), Buffer.concat([...riff, tiff]));
    expect(stillOrientation(at('o.webp'), 'webp')).toBe(6);
    const wild = Buffer.from(tiff);
    wild.writeUInt32LE(0xfffff, 4);
    writeFileSync(at('wild.tiff'), wild);
    expect(stillOrientation(at('wild.tiff'), 'tiff')).toBe(1);
    expect(stillOrientation(at('upright.jpg'), 'jpeg')).toBe(1);
  });
});

describe('a folder of pictures and videos', () => {
  const out = (name: string) => at(`out/${name}`);
  let first: ReturnType<typeof understudy>;
  const report = () => JSON.parse(readFileSync(at('report.json'), 'utf8'));

  beforeAll(() => {
    mkdirSync(at('in/sub'), { recursive: true });
    for (const n of [1, 6, 7]) writeFileSync(at(`in/turned-${n}.jpg`), readFileSync(at(`turned-${n}.jpg`)));
    ffmpeg('-i', at('upright.jpg'), '-vf', 'format=rgb24,crop=479:347:0:0', at('in/odd.png'));
    ffmpeg('-i', at('upright.jpg'), at('plain.webp'));
    renameSync(at('plain.webp'), at('in/sub/some%d.webp'));
    ffmpeg('-loop', '1', '-i', at('upright.jpg'), '-t', '0.2', '-r', '10', '-pix_fmt', 'yuv420p', at('in/clip.avi'));
    ffmpeg('-f', 'lavfi', '-i', 'color=gray:s=320x240', '-frames:v', '1', at('in/wall.jpg'));
    writeFileSync(at('in/notes.txt'), 'no picture');
    writeFileSync(at('in/.hidden.jpg'), readFileSync(at('upright.jpg')));
    const whole = readFileSync(at('upright.jpg'));
    writeFileSync(at('in/broken.jpg'), whole.subarray(0, whole.length / 2));
    first = understudy(['run', at('in'), at('out'), '--report', at('report.json')]);
  }, 240_000);

  it('covers everybody, names what failed, and goes on with the rest', () => {
    expect(first.stderr).toMatch(/broken\.jpg is damaged/);
    expect(first.stderr).toMatch(/1 of the files in .* neither pictures nor videos/);
    expect(first.stderr).toMatch(/no face was found in .*wall\.jpg/);
    expect(first.code).toBe(4);
    expect(existsSync(out('broken.jpg'))).toBe(false);
    expect(existsSync(out('.hidden.jpg'))).toBe(false);
    const files = report().files as { input: { path: string }; totals?: { faces: number; generated: number } }[];
    for (const name of ['turned-1.jpg', 'turned-6.jpg', 'turned-7.jpg', 'odd.png', 'some%d.webp']) {
      const file = files.find((f) => f.input.path.endsWith(name));
      expect(file?.totals?.faces, name).toBeGreaterThanOrEqual(5);
      expect(file?.totals?.generated, name).toBeGreaterThanOrEqual(3);
    }
    expect(files.find((f) => f.input.path.endsWith('clip.avi'))?.totals).toMatchObject({
      frames: 2,
      framesWithoutFace: 0,
    });
    expect(ffprobe('-show_entries', 'stream=codec_name', '-of', 'csv=p=0', out('clip.avi.mp4'))).toContain('h264');
  });

  it('turns pictures upright, keeps odd sizes and what is not a face, changes the faces', () => {
    const [width, height] = size(at('upright.jpg')) as [number, number];
    for (const n of [1, 6, 7]) expect(size(out(`turned-${n}.jpg`))).toEqual([width, height]);
    expect(size(out('odd.png'))).toEqual([479, 347]);
    const background = ['-vf', 'crop=120:80:0:0'];
    // The head of the woman in the middle of the upper row.
    const face = ['-vf', 'crop=34:44:202:34'];
    for (const n of [1, 6, 7]) {
      const before = at('upright.jpg');
      const after = out(`turned-${n}.jpg`);
      expect(
        meanDifference(pixels(before, 'rgb24', ...background), pixels(after, 'rgb24', ...background)),
      ).toBeLessThan(3);
      expect(meanDifference(pixels(before, 'rgb24', ...face), pixels(after, 'rgb24', ...face))).toBeGreaterThan(8);
    }
    const png = ['-vf', 'crop=100:80:0:0'];
    expect(
      meanDifference(pixels(at('in/odd.png'), 'rgb24', ...png), pixels(out('odd.png'), 'rgb24', ...png)),
    ).toBeLessThan(2);
    copyFileSync(out('sub/some%d.webp'), at('some.webp'));
    const webp = pixels(at('some.webp'), 'rgb24', ...background);
    expect(meanDifference(pixels(at('upright.jpg'), 'rgb24', ...background), webp)).toBeLessThan(4);
  });

  it('leaves no EXIF, thumbnail, XMP, comment or profile in a picture', () => {
    for (const n of [1, 6, 7]) {
      const bytes = readFileSync(out(`turned-${n}.jpg`));
      // APP0 (JFIF), tables and the frame header only.
      for (const marker of segmentMarkers(bytes)) expect([0xe0, 0xdb, 0xc0, 0xc4]).toContain(marker);
      expect(bytes.toString('latin1')).not.toMatch(/Exif|secret|xmp|Lavc/);
      expect(bytes.indexOf(Buffer.from([0xff, 0xd8]), 2)).toBe(-1);
    }
    expect(readFileSync(out('odd.png')).toString('latin1')).not.toMatch(/tEXt|eXIf|iCCP/);
  });

  it('gives everybody the same understudy whichever picture is decoded first', () => {
    mkdirSync(at('album'));
    // The first takes longer to decode than all the others together, and shows the same people.
    ffmpeg('-i', at('upright.jpg'), '-vf', 'scale=3600:-2', at('album/a.png'));
    for (const n of ['b', 'c', 'd']) copyFileSync(at('upright.jpg'), at(`album/${n}.jpg`));
    const key = ['--set', `sessionKey=${'5a'.repeat(32)}`];
    expect(understudy(['run', at('album'), at('album-1'), ...key]).code).toBe(0);
    mkdirSync(at('alone'));
    mkdirSync(at('alone-1'));
    copyFileSync(at('album/a.png'), at('alone/a.png'));
    expect(understudy(['run', at('alone'), at('alone-1'), ...key]).code).toBe(0);
    // The head of the woman in the middle of the upper row. Faces that go through the generator together differ in the last digit.
    const large = ['-vf', 'crop=255:330:1515:255'];
    const inAlbum = pixels(at('album-1/a.png'), 'rgb24', ...large);
    expect(meanDifference(inAlbum, pixels(at('alone-1/a.png'), 'rgb24', ...large))).toBeLessThan(1);
    expect(meanDifference(inAlbum, pixels(at('album/a.png'), 'rgb24', ...large))).toBeGreaterThan(8);
    const [b, c] = ['b', 'c'].map((n) => pixels(at(`album-1/${n}.jpg`), 'rgb24', '-vf', 'crop=34:44:202:34'));
    expect(meanDifference(b!, c!)).toBeLessThan(1);
  }, 240_000);

  it('goes on where it left off: done files stay, changed and failed ones are done, copied ones refused', () => {
    copyFileSync(at('upright.jpg'), at('in/copied.jpg'));
    copyFileSync(at('in/copied.jpg'), out('copied.jpg'));
    const before = statSync(out('turned-1.jpg')).mtimeMs;
    const newer = Date.now() / 1000 + 60;
    utimesSync(at('in/odd.png'), newer, newer);
    rmSync(at('in/broken.jpg'));
    const second = understudy(['run', at('in'), at('out'), '--report', at('report.json')]);
    expect(second.stderr).toMatch(/6 of the files in .* are done already/);
    // Nobody has looked at the picture in which the first run found no face.
    expect(second.stderr).toMatch(/no face was found before in .*wall\.jpg/);
    // A file that no run has made may be anything, here the original itself.
    expect(second.stderr).toMatch(/out\/copied\.jpg is there already, and no run has made it; move it away, or/);
    expect(readFileSync(out('copied.jpg')).equals(readFileSync(at('upright.jpg')))).toBe(true);
    expect(second.code).toBe(5);
    expect(statSync(out('turned-1.jpg')).mtimeMs).toBe(before);
    const made = () => report().files.map((f: { input: { path: string } }) => f.input.path);
    expect(made()).toEqual([at('in/odd.png'), at('in/copied.jpg')]);
    const replaced = understudy(['run', at('in'), at('out'), '--report', at('report.json'), '--overwrite']);
    expect(replaced.code).toBe(3);
    expect(made()).toEqual([at('in/copied.jpg')]);
    const copied = meanDifference(pixels(at('upright.jpg'), 'rgb24'), pixels(out('copied.jpg'), 'rgb24'));
    expect(copied).toBeGreaterThan(1);
    symlinkSync(at('in/turned-1.jpg'), at('in/linked.jpg'));
    symlinkSync(at('in/linked.jpg'), out('linked.jpg'));
    const third = understudy(['run', at('in'), at('out'), '--allow-no-face']);
    expect(third.stderr).toMatch(/8 of the files in .* are done already/);
    expect(third.stderr).toMatch(/linked\.jpg.*input/);
    expect(third.code).toBe(5);
  });
});
