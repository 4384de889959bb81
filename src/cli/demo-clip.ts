import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { findFfmpeg } from '../core/ffmpeg.ts';
import { ModelStore } from '../infer/model-store.ts';

export interface DemoClip {
  readonly out: string;
  readonly seconds: number;
  readonly photo?: 1 | 2 | 3 | 4 | 5 | 6;
}

/** A moving 1280×720 clip at 30 fps: a pan over a group photograph of `@vladmandic/face-api` (MIT). */
export async function makeDemoClip({ out, seconds, photo = 1 }: DemoClip): Promise<void> {
  const ffmpeg = await findFfmpeg();
  const path = ModelStore.open().verify(`demo-photo-${photo}`);
  const pan = `scale=1400:-2,crop=1280:720:(iw-1280)*t/${seconds}:(ih-720)/2,format=yuv420p`;
  const still = ['-loop', '1', '-framerate', '30', '-i', path, '-t', String(seconds), '-vf', pan];
  await promisify(execFile)(ffmpeg.path, [
    '-v',
    'error',
    '-y',
    ...still,
    '-c:v',
    'libx264',
    '-preset',
    'veryfast',
    out,
  ]);
}
