import { execFileSync } from 'node:child_process';
import { existsSync, linkSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/loader.ts';
import { openFileSink } from '../../src/egress/file/file-sink.ts';
import { makeClip } from '../support/clips.ts';
import { ffmpeg, ffprobe, meanDifference, pixels, scratch, timestamps, understudy } from '../support/command.ts';

const { folder, at } = scratch('egress');
const clip = at('clip.mp4');
const run = (input: string, output: string, ...more: string[]) =>
  understudy(['run', input, output, '--mode', 'mask', ...more]);
const leftovers = () => readdirSync(folder).filter((name) => name.includes('.part-'));

beforeAll(() => {
  makeClip(clip, 0.6);
});

describe('encoders', () => {
  it.each([
    ['h264', 'mp4', 'h264'],
    ['h265', 'mov', 'hevc'],
    ['vp9', 'webm', 'vp9'],
    ['h264', 'mkv', 'h264'],
  ])('writes %s into %s with the right colours, times and sound', (codec, extension, name) => {
    const out = at(`${codec}.${extension}`);
    const crf = codec === 'vp9' ? '10' : '12';
    expect(run(clip, out, '--codec', codec, '--crf', crf).stderr).toBe('');
    const shown = ffprobe('-show_streams', out);
    expect(shown).toContain(`codec_name=${name}`);
    expect(shown).toMatch(/codec_name=(aac|opus)/);
    expect(shown).toContain('color_space=smpte170m');
    expect(shown).toContain('color_range=tv');
    const [before, after] = [timestamps(clip), timestamps(out)];
    expect(after.length).toBe(before.length);
    // Opus begins before zero, and WebM knows no time before zero: pictures and sound move together.
    const moved = after[0]! - before[0]!;
    expect(Math.abs(moved)).toBeLessThan(0.01);
    for (const [i, t] of after.entries()) expect(Math.abs(t - moved - before[i]!)).toBeLessThan(0.0011);
    const corner = ['-vf', 'crop=100:100:0:0', '-frames:v', '1'];
    expect(meanDifference(pixels(clip, 'rgb24', ...corner), pixels(out, 'rgb24', ...corner))).toBeLessThan(4);
  });

  it('takes VP9 and Opus for .webm by itself', () => {
    const { code, stderr } = run(clip, at('plain.webm'));
    expect(code, stderr).toBe(0);
    const shown = ffprobe('-show_entries', 'stream=codec_name', '-of', 'csv=p=0', at('plain.webm'));
    expect(shown.trim().split('\n')).toEqual(['vp9', 'opus']);
  });

  it('tells the reason that ffmpeg gave first', () => {
    const { code, stderr } = run(clip, at('x.mp4'), '--set', 'egress.preset=nope');
    expect(stderr).toMatch(/x\.mp4 could not be written: Error setting preset\/tune nope/);
    expect(code).toBe(5);
  });

  it('leaves nothing when it is stopped before the first picture, and says so when there was none', async () => {
    const { egress } = loadConfig({ sets: [], env: {} });
    const format = { width: 64, height: 48, colour: { matrix: 'bt601', range: 'limited' } } as const;
    const stopped = await openFileSink(at('nothing.mp4'), { ...egress, format });
    await stopped.finish({ early: true });
    const empty = await openFileSink(at('nothing.mp4'), { ...egress, format });
    await expect(empty.finish()).rejects.toThrow(/there was no picture for .*nothing\.mp4/);
    expect(existsSync(at('nothing.mp4'))).toBe(false);
    expect(leftovers()).toEqual([]);
  });

  it('tags BT.709 as BT.709', () => {
    const tags = ['-colorspace', 'bt709', '-color_primaries', 'bt709', '-color_trc', 'bt709', '-color_range', 'tv'];
    ffmpeg('-i', clip, '-t', '0.2', '-an', '-vf', 'scale=out_color_matrix=bt709', ...tags, at('hd.mp4'));
    expect(run(at('hd.mp4'), at('hd-out.mp4'), '--crf', '10').code).toBe(0);
    expect(ffprobe('-show_entries', 'stream=color_space', '-of', 'csv=p=0', at('hd-out.mp4')).trim()).toBe('bt709');
    const corner = ['-vf', 'crop=100:100:0:0', '-frames:v', '1'];
    const [before, after] = [pixels(at('hd.mp4'), 'rgb24', ...corner), pixels(at('hd-out.mp4'), 'rgb24', ...corner)];
    expect(meanDifference(before, after)).toBeLessThan(3);
  });

  it('puts the index of an mp4 at the front', () => {
    const bytes = readFileSync(at('h264.mp4')).toString('latin1');
    expect(bytes.indexOf('moov')).toBeGreaterThan(0);
    expect(bytes.indexOf('moov')).toBeLessThan(bytes.indexOf('mdat'));
  });
});

describe('what must not go along', () => {
  it('leaves tags, place, chapters, subtitles, data, attachments and the tags inside Vorbis behind', () => {
    writeFileSync(at('s.srt'), '1\n00:00:00,000 --> 00:00:00,400\nsecret words\n');
    writeFileSync(
      at('meta.txt'),
      ';FFMETADATA1\ntitle=secret title\nlocation=+52.5+013.4/\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=300\ntitle=secret chapter\n',
    );
    writeFileSync(at('note.txt'), 'secret note');
    ffmpeg(
      '-f',
      'lavfi',
      '-i',
      'sine=duration=0.5',
      '-c:a',
      'libvorbis',
      '-metadata',
      'artist=secret artist',
      at('tagged.ogg'),
    );
    const inputs = [clip, at('tagged.ogg'), at('s.srt'), at('meta.txt')].flatMap((path) => ['-i', path]);
    const maps = ['0:v', '1:a', '2:s'].flatMap((m) => ['-map', m]);
    const attached = ['-attach', at('note.txt'), '-metadata:s:t', 'mimetype=text/plain'];
    const tags = [
      '-map_metadata',
      '3',
      '-map_chapters',
      '3',
      '-metadata:s:v',
      'title=secret camera',
      '-metadata:s:a',
      'title=secret sound',
    ];
    ffmpeg(...inputs, ...maps, '-c', 'copy', ...tags, ...attached, at('tagged.mkv'));
    expect(readFileSync(at('tagged.mkv')).toString('latin1')).toMatch(/secret artist/);
    for (const name of ['clean.mkv', 'clean.mp4', 'clean.mov', 'clean.webm']) {
      const codec = name.endsWith('webm') ? 'vp9' : 'h264';
      expect(run(at('tagged.mkv'), at(name), '--codec', codec).stderr).toBe('');
      const bytes = readFileSync(at(name));
      for (const word of ['secret', '52.5', 'Lavf5', 'x264 - core'])
        expect(bytes.includes(word), `${word} in ${name}`).toBe(false);
      const shown = ffprobe('-show_streams', '-show_chapters', '-show_format', at(name));
      expect(shown.match(/codec_type=\w+/g)?.sort()).toEqual(['codec_type=audio', 'codec_type=video']);
      expect(shown).not.toMatch(/\[CHAPTER\]|TAG:(title|location|artist|comment)/);
    }
  });

  it.each([
    ['libmp3lame', 'mp3', ['-write_xing', '0', '-id3v2_version', '0'], 'aac'],
    ['ac3', 'ac3', [], 'aac'],
    ['flac', 'flac', [], 'flac'],
  ])('leaves a picture between the frames of %s behind', (encoder, extension, options, becomes) => {
    ffmpeg('-f', 'lavfi', '-i', 'sine=duration=0.3', '-c:a', encoder, ...options, at(`plain.${extension}`));
    const sound = readFileSync(at(`plain.${extension}`));
    // An ID3 tag with an attached picture, as players leave it where files are put together.
    const picture = Buffer.from(`\0image/jpeg\0\x03\0${'face of the original '.repeat(50)}`, 'latin1');
    const size = (bytes: number) => [21, 14, 7, 0].map((shift) => (bytes >> shift) & 127);
    const frame = Buffer.concat([Buffer.from('APIC'), Buffer.alloc(6), picture]);
    frame.writeUInt32BE(picture.length, 4);
    const tag = Buffer.concat([Buffer.from('ID3\x03\0\0', 'latin1'), Buffer.from(size(frame.length)), frame]);
    writeFileSync(at(`between.${extension}`), Buffer.concat([sound, tag, sound]));
    const crafted = at(`between-${extension}.mkv`);
    ffmpeg('-i', clip, '-i', at(`between.${extension}`), '-map', '0:v', '-map', '1:a', '-c', 'copy', crafted);
    expect(readFileSync(crafted).includes('face of the original')).toBe(true);
    const out = at(`between-${extension}-out.mkv`);
    expect(run(crafted, out).stderr).toBe('');
    expect(readFileSync(out).includes('face of the original')).toBe(false);
    const codec = ffprobe('-select_streams', 'a', '-show_entries', 'stream=codec_name', '-of', 'csv=p=0', out).trim();
    expect(codec).toBe(becomes);
  });

  it('drops the sound when told to', () => {
    expect(run(clip, at('mute.mp4'), '--audio', 'drop').code).toBe(0);
    expect(ffprobe('-show_entries', 'stream=codec_type', '-of', 'csv=p=0', at('mute.mp4')).trim()).toBe('video');
  });
});

describe('a name that must not be written to', () => {
  it('refuses the input also under another name, and leaves it as it was', () => {
    const before = readFileSync(clip);
    symlinkSync(clip, at('symbolic.mp4'));
    linkSync(clip, at('hard.mp4'));
    for (const name of ['symbolic.mp4', 'hard.mp4']) {
      const { code, stderr } = run(clip, at(name));
      expect(stderr).toMatch(/the output .* is the input; name another output/);
      expect(code).toBe(5);
    }
    expect(readFileSync(clip).equals(before)).toBe(true);
  });

  const root = process.getuid?.() === 0 && process.platform === 'linux';
  it.runIf(root)('says when the disk is full or read-only, and leaves nothing', () => {
    mkdirSync(at('disk'));
    const mounted = (options: string, look: () => void) => {
      execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', at('disk')]);
      try {
        look();
      } finally {
        execFileSync('umount', [at('disk')]);
      }
    };
    mounted('size=24k', () => {
      const { code, stderr } = run(clip, at('disk/out.mp4'), '--crf', '1');
      expect(stderr).toMatch(/the disk of .*out\.mp4 is full; free some space/);
      expect(code).toBe(5);
      expect(readdirSync(at('disk'))).toEqual([]);
    });
    mounted('ro', () => {
      const { code, stderr } = run(clip, at('disk/out.mp4'));
      expect(stderr).toMatch(/the folder .*disk is not writable; change its permissions/);
      expect(code).toBe(5);
    });
  });
});
