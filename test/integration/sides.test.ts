import { execFileSync } from 'node:child_process';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Detection } from '../../src/core/face-track.ts';
import type { Picture } from '../../src/core/vision.ts';
import { ModelStore } from '../../src/infer/model-store.ts';
import { StreamAnalyser } from '../../src/track/analyser.ts';
import { ffprobe } from '../support/command.ts';
import { trackPorts } from '../support/track-ports.ts';

const WIDTH = 1280;
/** Frames until everybody has to be covered. */
const FRAMES = { still: 1, file: 2, live: 6 } as const;
let { ports, shape } = {} as Awaited<ReturnType<typeof trackPorts>>;

beforeAll(async () => {
  ({ ports, shape } = await trackPorts());
});

function picture(path: string, width: number, height: number, crop = ''): Picture {
  const args = ['-vf', `scale=${WIDTH}:-2${crop}`, '-frames:v', '1', '-pix_fmt', 'yuv420p', '-f', 'rawvideo', '-'];
  const planes = execFileSync('ffmpeg', ['-v', 'error', '-i', path, ...args], { maxBuffer: 1 << 26 });
  return { planes: new Uint8Array(planes), format: { width, height, colour: { matrix: 'bt601', range: 'limited' } } };
}

/** The part of a face that is shown, and how much of it is covered after a few frames. */
async function covered(cut: Picture, shown: Detection, mode: keyof typeof FRAMES): Promise<number> {
  const analyser = new StreamAnalyser(ports, shape, { mode, sessionKey: new Uint8Array(32) });
  let best = 0;
  for (let sequence = 0; sequence < FRAMES[mode]; sequence++) {
    const { faces } = await analyser.analyse(cut, { sequence, timestampUs: 33_333 * sequence });
    for (const { region: r } of faces) {
      const width = Math.min(shown.x + shown.width, r.x + r.width) - Math.max(shown.x, r.x);
      const height = Math.min(shown.y + shown.height, r.y + r.height) - Math.max(shown.y, r.y);
      best = Math.max(best, (Math.max(0, width) * Math.max(0, height)) / (shown.width * shown.height));
    }
  }
  return best;
}

describe.each([3, 4])('half a face at the side of demonstration photograph %d', (n) => {
  it.each(['still', 'file', 'live'] as const)('is covered: %s', async (mode) => {
    const path = ModelStore.open().verify(`demo-photo-${n}`);
    const [w, h] = ffprobe('-show_entries', 'stream=width,height', '-of', 'csv=p=0', path).split(',').map(Number);
    const height = 2 * Math.round((WIDTH * h!) / w! / 2);
    const whole = picture(path, WIDTH, height);
    const faces = await ports.finder.detect(whole, { x: 0, y: 0, width: WIDTH, height, quarterTurns: 0 }, 0.9);
    expect(faces.length).toBeGreaterThanOrEqual(3);
    for (const face of faces) {
      const middle = 2 * Math.round((face.x + face.width / 2) / 2);
      for (const [from, to] of [
        [0, middle],
        [middle, WIDTH],
      ] as const) {
        if (to - from < 0.4 * height) continue;
        const cut = picture(path, to - from, height, `,crop=${to - from}:${height}:${from}:0`);
        const x = Math.max(from, face.x) - from;
        const shown = { ...face, x, width: Math.min(to, face.x + face.width) - from - x };
        expect(await covered(cut, shown, mode), `face at ${Math.round(face.x)}, cut to ${from}–${to}`).toBeGreaterThan(
          0.7,
        );
      }
    }
  });
});
