import { describe, expect, it } from 'vitest';
import type { Detection } from '../../src/core/face-track.ts';
import type { DetectorWindow, FaceFinder } from '../../src/core/vision.ts';
import { DetectionPass } from '../../src/track/detection-pass.ts';
import { trackOptions } from '../../src/track/options.ts';
import { grayPicture } from './fakes.ts';

const picture = grayPicture(640, 640);
/** A portrait, and what the detector makes of its collar: as measured on two photographs. */
const face: Detection = { x: 220, y: 160, width: 200, height: 285, score: 1 };
const collar: Detection = { x: 255, y: 420, width: 145, height: 130, score: 0.998 };

/** Sees `always` in every upright window that holds it, and `once` in the first look at the whole picture: no second look sees that again. */
function finder(always: Detection, once: Detection): FaceFinder {
  const holds = (w: DetectorWindow, d: Detection) =>
    d.x >= w.x && d.y >= w.y && d.x + d.width <= w.x + w.width && d.y + d.height <= w.y + w.height;
  let looked = false;
  return {
    detect: async (_, window) => {
      if (window.quarterTurns !== 0 || window.lifted) return [];
      const first = !looked && window.width >= 640 && window.height >= 640;
      looked ||= first;
      return [...(holds(window, always) ? [always] : []), ...(first ? [once] : [])];
    },
  };
}

async function doubtful(mode: 'still' | 'file' | 'live', once: Detection, always = face) {
  const options = trackOptions({ mode, sessionKey: Buffer.alloc(32) });
  const pass = new DetectionPass(finder(always, once), options);
  const found = await pass.look(picture, []);
  expect(found).toHaveLength(2);
  const confirmed = await pass.confirm(picture, found, []);
  expect(confirmed.standing).toHaveLength(1);
  return confirmed.doubtful;
}

describe('a find that every second look denies', () => {
  it('gets no cover on the neck or the collar of a certain face', async () => {
    for (const mode of ['still', 'file'] as const) expect(await doubtful(mode, collar)).toEqual([]);
    expect(await doubtful('still', { ...collar, y: 380 })).toEqual([]);
  });

  it('gets one everywhere else when it is all but sure', async () => {
    for (const other of [
      { ...collar, x: 330 },
      { ...collar, y: 490 },
      { ...collar, x: 210, y: 470, width: 225, height: 150 },
      { ...collar, x: 20, y: 200 },
    ])
      expect(await doubtful('still', other), JSON.stringify(other)).toHaveLength(1);
  });

  it('gets one below a face that is none for certain, and live, where nothing looks back', async () => {
    expect(await doubtful('still', collar, { ...face, score: 0.9 })).toHaveLength(1);
    expect(await doubtful('live', collar)).toHaveLength(1);
  });
});
