import { execFileSync } from 'node:child_process';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { FaceSearch, framesOf, isVeiled, personClip } from './people.ts';
import { command } from './run-process.ts';
import { eventually, has, temporaryFolder } from './support.ts';

/** Width, height and pictures a second of the camera. */
const [WIDTH, HEIGHT, FPS] = [480, 360, 10];
const PICTURE = (WIDTH * HEIGHT * 3) / 2;

/**
 * ffmpeg's own v4l2 input and output, and in the place of the kernel's devices a library that answers what they ask: no module can be
 * loaded where tests run.
 */
describe.skipIf(process.platform !== 'linux' || !has('cc', '--version'))(
  'a camera (needs cc)',
  { timeout: 120_000 },
  () => {
    const folder = temporaryFolder();
    const at = (name: string) => join(folder, name);
    const [camera, virtual] = [at('video0'), at('video10')];
    let search: FaceSearch;
    let anna: Float32Array[];

    beforeAll(async () => {
      personClip('anna', at('anna.mkv'), `${WIDTH}x${HEIGHT}`, FPS);
      const planes = ['-pix_fmt', 'yuv420p', '-f', 'rawvideo', at('pictures.yuv')];
      execFileSync('ffmpeg', ['-v', 'error', '-y', '-i', at('anna.mkv'), ...planes]);
      const library = at('stand-in.so');
      execFileSync('cc', ['-shared', '-fPIC', '-O1', '-o', library, resolve('test/live/v4l2-stand-in.c')]);
      for (const device of [camera, virtual]) writeFileSync(device, '');
      const ffmpeg = execFileSync('sh', ['-c', 'command -v ffmpeg'], { encoding: 'utf8' }).trim();
      writeFileSync(at('ffmpeg'), `#!/bin/sh\nLD_PRELOAD=${library} exec ${ffmpeg} "$@"\n`);
      chmodSync(at('ffmpeg'), 0o755);
      search = await FaceSearch.create();
      anna = await search.person(at('anna.mkv'));
    });

    const env = {
      ...{ FFMPEG_PATH: at('ffmpeg'), CAMERA: camera, SINK: virtual, CAMERA_PICTURES: at('pictures.yuv') },
      ...{ CAMERA_SIZE: `${WIDTH}x${HEIGHT}`, CAMERA_FPS: String(FPS) },
    };
    const run = (...args: string[]) => command(['run', ...args], env);
    /** What a program that opens the virtual camera is given. */
    const given = () => {
      const bytes = readFileSync(virtual);
      writeFileSync(at('given.yuv'), bytes.subarray(0, bytes.length - (bytes.length % PICTURE)));
      const raw = [
        '-f',
        'rawvideo',
        '-pix_fmt',
        'yuv420p',
        '-video_size',
        `${WIDTH}x${HEIGHT}`,
        '-framerate',
        String(FPS),
      ];
      const coding = ['-c:v', 'libx264', '-preset', 'ultrafast', '-crf', '12', at('given.mkv')];
      execFileSync('ffmpeg', ['-v', 'error', '-y', ...raw, '-i', at('given.yuv'), ...coding]);
      return framesOf(at('given.mkv'), 2);
    };

    it('becomes a virtual camera on which its person is not, and is busy meanwhile', async () => {
      const { child, done } = run(`device:${camera}`, `v4l2:${virtual}`);
      try {
        await eventually(async () => readFileSync(virtual).length > 30 * PICTURE, 60_000, 'pictures');
        const second = await run(`device:${camera}`, at('second.mp4')).done;
        expect([second.code, second.stderr]).toEqual([
          4,
          expect.stringMatching(/video0 is in use; close the other program/),
        ]);
      } finally {
        child.kill('SIGTERM');
      }
      const { code, stderr } = await done;
      expect(code, stderr).toBe(0);
      const frames = given();
      const seen = await search.search(frames, anna);
      expect(seen.matches, `best cosine ${seen.best}`).toBe(0);
      expect(seen.withFace).toBeGreaterThan(0.6 * frames.filter((frame) => !isVeiled(frame)).length);
      expect(seen.withFace).toBeGreaterThan(5);
    });

    it('gives its person back where nothing is in between: the search above means something', async () => {
      expect((await search.search(framesOf(at('anna.mkv'), 10), anna)).matches).toBeGreaterThan(3);
    });

    it('is recorded into a file for as long as it is told to', async () => {
      const { code, stderr } = await run(`device:${camera}`, at('camera.mp4'), '--duration', '3').done;
      expect(code, stderr).toBe(0);
      const seen = await search.search(framesOf(at('camera.mp4'), 3), anna);
      expect(seen.matches).toBe(0);
      expect(seen.withFace).toBeGreaterThan(2);
    });
  },
);
