import { execFileSync } from 'node:child_process';
import { type PictureFormat, planeLayout } from '../../src/core/video-frame.ts';
import type { Picture } from '../../src/core/vision.ts';
import { ModelStore } from '../../src/infer/model-store.ts';

/** A demo photograph as an I420 picture, scaled into 1280×720 and padded. */
export function demoPhoto(number: 1 | 2 | 3 | 4 | 5 | 6): Picture {
  const path = ModelStore.open().verify(`demo-photo-${number}`);
  const fit = 'scale=1280:720:force_original_aspect_ratio=decrease,pad=1280:720:(ow-iw)/2:(oh-ih)/2,format=yuv420p';
  const args = ['-v', 'error', '-i', path, '-vf', fit, '-frames:v', '1', '-f', 'rawvideo', '-'];
  const bytes = execFileSync('ffmpeg', args, { maxBuffer: 1 << 26 });
  const format: PictureFormat = { width: 1280, height: 720, colour: { matrix: 'bt601', range: 'limited' } };
  const planes = new Uint8Array(new SharedArrayBuffer(planeLayout(1280, 720).byteLength));
  planes.set(bytes);
  return { planes, format };
}
