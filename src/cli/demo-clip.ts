import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { findFfmpeg } from '../core/ffmpeg.ts';
import { ModelStore } from '../infer/model-store.ts';

/** `group`: three people, heads of 150 to 180 px; `portrait`: one of another picture, a head of about 400 px. */
export type DemoScene = 'group' | 'portrait';

export interface DemoClip {
  readonly out: string;
  readonly seconds: number;
  readonly scene?: DemoScene;
}

/** The photograph and the filter that brings the part to be panned over to 1400 pixels of width. */
const SCENES = {
  group: { photo: 'demo-photo-1', part: 'scale=1400:-2' },
  portrait: { photo: 'demo-photo-3', part: 'crop=680:393:838:170,scale=1400:-2' },
} as const satisfies Record<DemoScene, { photo: string; part: string }>;

/** A moving 1280×720 clip at 30 fps: a pan over a photograph of `@vladmandic/face-api` (MIT). */
export async function makeDemoClip({ out, seconds, scene = 'group' }: DemoClip): Promise<void> {
  const ffmpeg = await findFfmpeg();
  const { photo, part } = SCENES[scene];
  const path = ModelStore.open().verify(photo);
  const sway = `(iw-1280)*(0.5-0.5*cos(2*PI*t/4))`;
  const rise = `(ih-720)*(0.5-0.5*cos(2*PI*t/3))`;
  const pan = `${part},crop=1280:720:'${sway}':'${rise}',format=yuv420p`;
  const still = ['-loop', '1', '-framerate', '30', '-i', path, '-t', String(seconds), '-vf', pan];
  const encode = ['-c:v', 'libx264', '-preset', 'veryfast', out];
  await promisify(execFile)(ffmpeg.path, ['-v', 'error', '-y', ...still, ...encode]);
}
