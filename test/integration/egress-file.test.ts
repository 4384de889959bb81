import { execFileSync, spawn } from 'node:child_process';
import {
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { beforeAll, describe, expect, it, vi } from 'vitest';
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
  makeClip(at('long.mp4'), 1);
  ffmpeg('-stream_loop', '19', '-i', at('long.mp4'), '-c', 'copy', at('film.mp4'));
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

describe('a run that is cut short', () => {
  /** Starts a run over 20 seconds of film and does something to it once it has written pictures. */
  async function disturbed(out: string, disturb: (child: ReturnType<typeof spawn>) => void | Promise<void>) {
    const args = ['dist/main.js', 'run', at('film.mp4'), out, '--mode', 'mask', '--progress', 'json'];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'], detached: true });
    let stderr = '';
    const ended = new Promise<number | null>((resolve) => child.on('close', (code) => resolve(code)));
    await new Promise<void>((resolve) => {
      child.on('close', () => resolve());
      child.stderr.on('data', (text: Buffer) => {
        stderr += text;
        if (/"frames":[1-9]/.test(stderr)) resolve();
      });
    });
    await disturb(child);
    const code = await ended;
    return { code, stderr, words: stderr.split('\n').filter((line) => line.startsWith('understudy:')) };
  }
  const children = (pid: number) =>
    execFileSync('ps', ['-o', 'pid=,args=', '--ppid', String(pid)], { encoding: 'utf8' })
      .split('\n')
      .map((line) => /^\s*(\d+) (.*)$/.exec(line))
      .flatMap((m) => (m ? [{ pid: Number(m[1]), args: m[2]! }] : []));
  const killFfmpeg = (which: RegExp) => (child: ReturnType<typeof spawn>) => {
    const found = children(child.pid!).filter((c) => /ffmpeg/.test(c.args) && which.test(c.args));
    expect(found.length).toBe(1);
    process.kill(found[0]!.pid, 'SIGKILL');
  };
  const group = (child: ReturnType<typeof spawn>) => void process.kill(-child.pid!, 'SIGINT');

  it('Ctrl-C completes what has been read, with sound as long as the pictures', async () => {
    const { code } = await disturbed(at('stopped.mp4'), group);
    expect(code).toBe(130);
    const pictures = timestamps(at('stopped.mp4'));
    expect(pictures.length).toBeGreaterThan(1);
    expect(pictures.length).toBeLessThan(500);
    const sound = ffprobe(
      '-select_streams',
      'a',
      '-show_entries',
      'packet=pts_time',
      '-of',
      'csv=p=0',
      at('stopped.mp4'),
    );
    const last = Math.max(...sound.split('\n').filter(Boolean).map(Number.parseFloat));
    expect(last).toBeLessThan(pictures.at(-1)! + 0.1);
    expect(last).toBeGreaterThan(pictures.at(-1)! - 0.1);
    expect(leftovers()).toEqual([]);
  });

  it('a second Ctrl-C ends at once and leaves nothing', async () => {
    const { code } = await disturbed(at('dropped.mp4'), async (child) => {
      group(child);
      await new Promise((resolve) => setTimeout(resolve, 20));
      group(child);
    });
    expect(code).toBe(130);
    expect(existsSync(at('dropped.mp4'))).toBe(false);
    expect(leftovers()).toEqual([]);
  });

  it('an encoder that is killed leaves nothing under the final name', async () => {
    const { code, words } = await disturbed(at('killed.mp4'), killFfmpeg(/killed/));
    expect(words.length).toBe(1);
    expect(words[0]).toMatch(/the encoder of .*killed\.mp4 was ended by SIGKILL; run it again/);
    expect(code).toBe(8);
    expect(existsSync(at('killed.mp4'))).toBe(false);
    expect(leftovers()).toEqual([]);
  });

  it('a decoder that is killed ends the file with what came before', async () => {
    const { code, words } = await disturbed(at('short.mp4'), killFfmpeg(/rawvideo/));
    expect(words.length).toBe(1);
    expect(words[0]).toMatch(/the decoder of .*film\.mp4 was ended by SIGKILL/);
    expect(code).toBe(8);
    expect(timestamps(at('short.mp4')).length).toBeGreaterThan(1);
  });

  it('clears away what a killed run left behind', async () => {
    const { code } = await disturbed(at('again.mp4'), (child) => void child.kill('SIGKILL'));
    expect(code).toBe(null);
    expect(existsSync(at('again.mp4'))).toBe(false);
    // Its encoder may only just be starting.
    await vi.waitUntil(() => leftovers().length > 0, { timeout: 20_000 });
    const [left] = leftovers();
    expect(left).toMatch(/^\.again\.part-\d+\.mp4$/);
    // Killed while it cut the sound; and the file of a run that goes on, of another output, of nobody.
    writeFileSync(at(`${left}.cut`), '');
    const others = [`.again.part-${process.pid}.mp4`, left!.replace('again', 'other'), '.again.part-x.mp4'];
    for (const name of others) writeFileSync(at(name), '');
    expect(run(clip, at('again.mp4')).code).toBe(0);
    expect(statSync(at('again.mp4')).size).toBeGreaterThan(1000);
    expect(leftovers().sort()).toEqual(others.sort());
    for (const name of others) rmSync(at(name));
  });
});
