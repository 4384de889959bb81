/**
 * Core milliseconds of each pass for one face, each awaited by reading a pixel back (which costs some 0.02 ms of its
 * own), and of the steps between them. `npx tsx bench/pass-cost.ts [--height 300] [--size 128|256]`
 */
import { parseArgs } from 'node:util';
import { planeLayout } from '../src/core/video-frame.ts';
import { cleanRim } from '../src/gpu-post/clean-rim.ts';
import { Composer } from '../src/gpu-post/composer.ts';
import { drawEyes } from '../src/gpu-post/eyes.ts';
import { FacePainter } from '../src/gpu-post/face-painter.ts';
import { clearForehead } from '../src/gpu-post/forehead.ts';
import { createGl } from '../src/gpu-post/gl-context.ts';
import { Grain } from '../src/gpu-post/grain.ts';
import { drawMouth } from '../src/gpu-post/mouth.ts';
import { Photometry } from '../src/gpu-post/photometry.ts';
import { Sharpness } from '../src/gpu-post/sharpness.ts';
import { XDisplay } from '../src/gpu-post/x-display.ts';
import { shapes } from '../test/support/shapes.ts';
import { FACE_SIZES, fillSlot, MASK_HEIGHT, slotsFor, syntheticPoints } from './synthetic-face.ts';

const { values } = parseArgs({
  options: { height: { type: 'string', default: '300' }, size: { type: 'string', default: FACE_SIZES[0] } },
});
const faceSize = Number(values.size);
const ROUNDS = 200;
const WARM_UP = 60;
process.env.LP_NUM_THREADS ??= '0';
await XDisplay.open();
const gl = createGl();

const spent = new Map<string, number>();
let counting = false;
function timed<T>(name: string, work: () => T): T {
  const before = process.cpuUsage();
  const result = work();
  const { user, system } = process.cpuUsage(before);
  if (counting) spent.set(name, (spent.get(name) ?? 0) + (user + system) / 1000);
  return result;
}

/** Waits for each pass, so that its cost is its own. */
class TimedComposer extends Composer {
  override draw(...pass: Parameters<Composer['draw']>): void {
    const [shader, target] = pass;
    timed(`  ${shader}`, () => {
      super.draw(...pass);
      target.read(target.format === 'rgba8' ? new Uint8Array(4) : new Float32Array(4), 1, 1);
    });
  }
}

const format = { width: 1280, height: 720, colour: { matrix: 'bt709', range: 'limited' } } as const;
const planes = new Uint8Array(new SharedArrayBuffer(planeLayout(format.width, format.height).byteLength));
for (let i = 0; i < planes.length; i++) planes[i] = 100 + ((i * 7919) % 40);
const slot = fillSlot(slotsFor(1), 0, faceSize);
const points = syntheticPoints();
/** With eyes and a mouth that are open. */
const real = shapes(1, 3)[0]!;
for (let i = 65; i < 68; i++) real[2 * i + 1]! += 5;
const scale = Number(values.height) / MASK_HEIGHT;
const toPicture = { a: scale, b: -0.1, c: 400, d: 0.1, e: scale, f: 120 };
for (const [title, composer] of [
  ['as it runs', new Composer(gl)],
  ['pass by pass', new TimedComposer(gl)],
] as const) {
  const photometry = new Photometry(composer, faceSize, { relight: true, colour: true, sigmaInterocular: 0.24 });
  const painter = new FacePainter();
  const face = composer.texture(faceSize, faceSize, 'rgba8');
  const pixels = new Uint8Array(4 * faceSize ** 2);
  const [state, grain, sharpness] = [photometry.newState(), new Grain(), new Sharpness()];
  const place = { toPicture, ...format, others: [] };
  spent.clear();
  for (let round = 0; round < WARM_UP + ROUNDS; round++) {
    counting = round >= WARM_UP;
    const extent = timed('photometry', () => photometry.run(slot, points, points, state, face, place));
    if (!extent) throw new Error('the mask is empty');
    timed('reading', () => face.read(pixels));
    timed('forehead', () => clearForehead(pixels, faceSize, slot.crop, photometry.known, real));
    timed('outline', () => cleanRim(pixels, faceSize, photometry.around));
    timed('sharpness', () => sharpness.finish(slot.crop, pixels, photometry.common, toPicture.a, grain.sigma));
    timed('eyes and mouth', () => {
      drawEyes(pixels, real);
      drawMouth(pixels, real);
    });
    timed('painting', () => painter.paint({ face: pixels, extent, grain, sharpness }, toPicture, planes, format));
  }
  console.info(`${title}, core ms a face of ${values.height} px:`);
  for (const [name, ms] of spent) console.info(`  ${name.padEnd(16)} ${(ms / ROUNDS).toFixed(3)}`);
}
process.exit(0);
