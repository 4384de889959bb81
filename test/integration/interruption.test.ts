import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { loadConfig } from '../../src/config/loader.ts';
import { UnderstudyError } from '../../src/core/errors.ts';
import { findFfmpeg } from '../../src/core/ffmpeg.ts';
import { planeLayout } from '../../src/core/video-frame.ts';
import { discardUnfinished, EncodedFile } from '../../src/egress/file/encoded-file.ts';
import { Compositor } from '../../src/gpu-post/compositor.ts';
import { makeClip } from '../support/clips.ts';
import { ffmpeg, ffprobe, scratch, timestamps, understudy } from '../support/command.ts';

const { folder, at } = scratch('interruption');
const clip = at('clip.mp4');
const run = (input: string, output: string, ...more: string[]) =>
  understudy(['run', input, output, '--mode', 'mask', ...more]);
const leftovers = () => readdirSync(folder).filter((name) => name.includes('.part-'));

beforeAll(() => {
  makeClip(clip, 0.6);
  makeClip(at('long.mp4'), 1);
  ffmpeg('-stream_loop', '19', '-i', at('long.mp4'), '-c', 'copy', at('film.mp4'));
});

describe('a run that is cut short', () => {
  /** Starts a run over 20 seconds of film and does something to it once it has written pictures. */
  async function disturbed(
    out: string,
    disturb: (child: ReturnType<typeof spawn>) => void | Promise<void>,
    input = at('film.mp4'),
  ) {
    const args = ['dist/main.js', 'run', input, out, '--mode', 'mask', '--progress', 'json'];
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
  const ffmpegOf = (child: ReturnType<typeof spawn>, which: RegExp) => {
    const found = children(child.pid!).filter((c) => /ffmpeg/.test(c.args) && which.test(c.args));
    expect(found.length).toBe(1);
    return found[0]!.pid;
  };
  const killFfmpeg = (which: RegExp) => (child: ReturnType<typeof spawn>) =>
    void process.kill(ffmpegOf(child, which), 'SIGKILL');
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

  it('what goes wrong after Ctrl-C is told of in a folder too', async () => {
    mkdirSync(at('films'));
    symlinkSync(at('film.mp4'), at('films/film.mp4'));
    const stuck = async (child: ReturnType<typeof spawn>) => {
      const encoder = ffmpegOf(child, /films-out/);
      // So that the run cannot be over before it is killed.
      process.kill(encoder, 'SIGSTOP');
      group(child);
      await pause(300);
      process.kill(encoder, 'SIGKILL');
    };
    const { code, words } = await disturbed(at('films-out'), stuck, at('films'));
    expect(words).toHaveLength(1);
    expect(words[0]).toMatch(/the encoder of .*films-out\/film\.mp4 was ended by SIGKILL; run it again/);
    expect(code).toBe(130);
    expect(existsSync(at('films-out/film.mp4'))).toBe(false);
  });

  it('nothing gets the final name when it is dropped while its sound is being cut', async () => {
    // An ffmpeg that takes long for that.
    const slow = '#!/bin/sh\nffmpeg "$@" || exit\ncase "$*" in *.cut) echo > "$CUTTING"; exec sleep 1;; esac\n';
    writeFileSync(at('slow-ffmpeg'), slow, { mode: 0o755 });
    process.env.CUTTING = at('cutting');
    const tool = { ...(await findFfmpeg()), path: at('slow-ffmpeg') };
    const { egress } = loadConfig({ sets: [], env: {} });
    const arguments_ = (temporary: string) => [
      ...['-v', 'error', '-f', 'nut', '-i', 'pipe:0', '-y', '-c:v', 'libx264', '-preset', egress.preset, temporary],
    ];
    const format = { width: 64, height: 48, colour: { matrix: 'bt601', range: 'limited' } } as const;
    const file = new EncodedFile(tool, at('cut.mp4'), {
      format,
      cutSound: { container: 'mp4' },
      arguments: arguments_,
    });
    const compositor = await Compositor.start({
      ...{ faceMemory: new SharedArrayBuffer(4), faceSize: 128, mode: 'mask', photometry: {} as never },
    });
    const memory = new SharedArrayBuffer(planeLayout(64, 48).byteLength);
    await file.write(compositor.veil({ sequence: 0, timestampUs: 0, format }, { index: 0, memory, release: () => {} }));
    const ended = file.finish({ early: true }).catch((error: unknown) => error);
    await vi.waitUntil(() => existsSync(at('cutting')), { timeout: 20_000 });
    discardUnfinished();
    expect(await ended).toBeInstanceOf(UnderstudyError);
    expect(existsSync(at('cut.mp4'))).toBe(false);
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
