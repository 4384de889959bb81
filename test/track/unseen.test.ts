import { describe, expect, it } from 'vitest';
import { at, FakeVision, grayPicture } from './fakes.ts';

const picture = grayPicture(1280, 720);
const BOX = { x: 200, y: 150, width: 80, height: 100 };

/** Looks that the analysis takes at frames of the same room with these time stamps, in seconds; `x` marks damaged ones. */
async function looks(mode: 'file' | 'live', ...frames: string[]): Promise<number[]> {
  const vision = new FakeVision();
  const analyser = vision.analyser({ mode });
  const counts: number[] = [];
  for (const [sequence, frame] of frames.entries()) {
    vision.windows = [];
    await analyser.analyse(picture, {
      sequence,
      timestampUs: 1e6 * Number.parseFloat(frame),
      damaged: frame.endsWith('x'),
    });
    counts.push(vision.windows.length);
  }
  return counts;
}

/** Those of them that were looked at everywhere. */
async function everywhere(mode: 'file' | 'live', ...frames: string[]): Promise<string[]> {
  const counts = await looks(mode, ...frames);
  return frames.filter((_, i) => counts[i]! > 20);
}

describe('a frame after a time in which nobody looked', () => {
  it.each(['file', 'live'] as const)(
    'is looked at everywhere after half a second of damaged frames: %s',
    async (mode) => {
      expect(await everywhere(mode, '0', '0.1', '0.2x', '0.4x', '0.6', '0.7')).toEqual(['0', '0.6']);
      // Blank frames while a camera is away.
      expect(await everywhere(mode, '0', '1x', '1.2x', '9.8x', '10', '10.1')).toEqual(['0', '10']);
    },
  );

  it('is not after a damaged frame here and there', async () => {
    expect(await everywhere('live', '0', '0.03x', '0.07', '0.1x', '0.4', '0.43')).toEqual(['0']);
  });

  it('is when what came before the first sound frame was none', async () => {
    expect(await everywhere('live', '0x', '0.2x', '0.3', '0.4')).toEqual(['0x', '0.3']);
  });

  it('is after a gap in the time stamps, live not twice in a row', async () => {
    expect(await everywhere('file', '0', '0.9', '2', '3.1', '4.2')).toEqual(['0', '2', '3.1', '4.2']);
    expect(await everywhere('live', '0', '0.9', '2', '3.1', '4.2')).toEqual(['0', '2', '4.2']);
  });

  it('is again when the look at it failed', async () => {
    const vision = new FakeVision();
    const analyser = vision.analyser({ mode: 'live' });
    const { detect } = vision.finder;
    await analyser.analyse(picture, at(0));
    vision.finder.detect = () => Promise.reject(new Error('no answer'));
    await expect(analyser.analyse(picture, at(60))).rejects.toThrow('no answer');
    vision.finder.detect = detect;
    vision.windows = [];
    await analyser.analyse(picture, at(61));
    expect(vision.windows.length).toBeGreaterThan(20);
  });

  it('keeps the FaceTracks that are followed', async () => {
    const vision = new FakeVision();
    vision.faces = [{ box: BOX, score: 0.95 }];
    const analyser = vision.analyser({ mode: 'live' });
    await analyser.analyse(picture, at(0));
    const { faces, ended } = await analyser.analyse(picture, at(60));
    expect(faces.map((f) => f.trackId)).toEqual([1]);
    expect(ended).toEqual([]);
  });
});
