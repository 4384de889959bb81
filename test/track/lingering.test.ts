import { expect, it } from 'vitest';
import type { Cover, Region, TrackedFace } from '../../src/core/face-track.ts';
import { LingeringCovers } from '../../src/track/lingering.ts';

const face = (trackId: number, cover: Cover, region: Region): TrackedFace => ({
  ...{ trackId, personId: trackId, roll: 0, score: 1 },
  ...{ cover, region },
});

it('a large face that is drawn beside somebody lost does not end his cover: it is painted within its own outline only', () => {
  const lost = face(1, 'solid', { x: 330, y: 380, width: 38, height: 49 });
  const region = { x: 100, y: 100, width: 270, height: 350 };
  for (const [cover, shown] of [
    ['generated', [1]],
    ['held', [1]],
    ['solid', []],
  ] as const) {
    const covers = new LingeringCovers();
    covers.add(lost, 5);
    expect(covers.step([face(2, cover, region)]).covers.map((c) => c.trackId)).toEqual(shown);
  }
  const covers = new LingeringCovers();
  covers.add(lost, 5);
  expect(covers.step([face(2, 'generated', lost.region)])).toEqual({ covers: [], ended: [1] });
});
