import { ModelStore } from '../../src/infer/model-store.ts';
import { ffmpeg } from './command.ts';

/** A small moving picture of five people, 480×320, 25 frames a second, a key picture every ten frames, with a tone. */
export function makeClip(path: string, seconds = 1): void {
  const photo = ModelStore.open().verify('demo-photo-5');
  const pan = `scale=520:-2,crop=480:320:40*t/${seconds}:20,format=yuv420p`;
  ffmpeg(
    ...['-loop', '1', '-framerate', '25', '-i', photo, '-f', 'lavfi', '-i', `sine=duration=${seconds}`],
    ...['-t', String(seconds), '-vf', pan, '-c:v', 'libx264', '-preset', 'veryfast', '-g', '10', '-c:a', 'aac', path],
  );
}
