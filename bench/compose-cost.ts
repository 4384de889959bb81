/**
 * Core milliseconds that the compositor takes for a face about 300 pixels high in a 720p picture: the whole call, GL
 * worker, copy and messages included. `npx tsx bench/compose-cost.ts [--faces 1] [--height 300] [--size 128|256]`
 */
import { parseArgs } from 'node:util';
import type { TrackedFace } from '../src/core/face-track.ts';
import { planeLayout, RawFrame } from '../src/core/video-frame.ts';
import { Compositor } from '../src/gpu-post/compositor.ts';
import { FACE_SIZES, fillSlot, MASK_HEIGHT, slotsFor, syntheticPoints } from './synthetic-face.ts';

const { values } = parseArgs({
  options: {
    faces: { type: 'string', default: '1' },
    height: { type: 'string', default: '300' },
    size: { type: 'string', default: FACE_SIZES[0] },
    rounds: { type: 'string', default: '150' },
  },
});
process.env.LP_NUM_THREADS ??= '0';
const [count, rounds, faceSize] = [Number(values.faces), Number(values.rounds), Number(values.size)];
const format = { width: 1280, height: 720, colour: { matrix: 'bt709', range: 'limited' } } as const;
const { byteLength } = planeLayout(format.width, format.height);
const faceMemory = slotsFor(count);
const scale = Number(values.height) / MASK_HEIGHT;
const points = syntheticPoints();
const faces: TrackedFace[] = [];
for (let slot = 0; slot < count; slot++) {
  fillSlot(faceMemory, slot, faceSize);
  faces.push({
    trackId: slot + 1,
    personId: slot + 1,
    cover: 'generated',
    region: { x: 0, y: 0, width: 300, height: 300 },
    roll: 0.05,
    score: 0.9,
    toPicture: { a: scale, b: -0.1, c: 60 + 340 * (slot % 3), d: 0.1, e: scale, f: 120 },
    own: points,
    driven: points,
    raw: points,
    faceSlot: slot,
  });
}
const memoryOf = () => ({ index: 0, memory: new SharedArrayBuffer(byteLength), release() {} });
const raw = new RawFrame({ sequence: 0, timestampUs: 0, format }, memoryOf());
const planes = new Uint8Array(raw.slot.memory);
for (let i = 0; i < planes.length; i++) planes[i] = 100 + ((i * 7919) % 40);
const photometry = { relight: true, pyramid: true, colour: true, sigmaInterocular: 0.24 };
const compositor = await Compositor.start({ mode: 'generate', faceMemory, faceSize, photometry });
const slot = memoryOf();
const round = async () => {
  const { frame } = await compositor.compose(raw, faces, slot);
  if (frame.kind !== 'composed') throw new Error('the frame was veiled');
};
for (let i = 0; i < 60; i++) await round();
const before = process.cpuUsage();
const began = performance.now();
for (let i = 0; i < rounds; i++) await round();
const used = process.cpuUsage(before);
const perFace = (ms: number) => (ms / rounds / count).toFixed(2);
console.info(
  `${count} faces ${values.height} px high in 1280×720: ${perFace((used.user + used.system) / 1000)} core ms a face ` +
    `(${perFace(performance.now() - began)} ms elapsed)`,
);
await compositor.close();
process.exit(0);
