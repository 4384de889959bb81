import { describe, expect, it } from 'vitest';
import { StreamAnalyser } from '../../src/track/analyser.ts';
import { NOBODY, PersonNumbers } from '../../src/track/person-numbers.ts';
import { at, FakeVision, fixtureShape, grayPicture } from './fakes.ts';

const picture = grayPicture();
const BOX = { x: 200, y: 150, width: 80, height: 100 };

describe('numbers of persons', () => {
  it('are never those of another stream, nor given twice, however long a stream runs', () => {
    let ranges = 0;
    const further = () => 1001 + 10 * ranges++;
    const streams = [new PersonNumbers(1, 10, further), new PersonNumbers(11, 10, further)];
    const given = Array.from({ length: 100 }, (_, i) => streams[i % 2]!.take());
    expect(given.slice(0, 4)).toEqual([1, 11, 2, 12]);
    expect(new Set(given).size).toBe(100);
  });

  it('go on in another range when those of a stream are used up', async () => {
    const vision = new FakeVision();
    const options = { mode: 'live', sessionKey: new Uint8Array(32), firstPerson: 21, persons: 2 } as const;
    const analyser = new StreamAnalyser({ ...vision, furtherPersons: () => 501 }, fixtureShape(), {
      ...options,
      holdFrames: 0,
      solidFrames: 0,
    });
    const numbers: number[] = [];
    for (let i = 0; i < 6; i++) {
      vision.embedding = Float32Array.from({ length: 6 }, (_, k) => Number(k === i));
      vision.faces = [{ box: BOX, score: 0.95 }];
      numbers.push((await analyser.analyse(picture, at(2 * i))).faces[0]!.personId);
      vision.faces = [];
      await analyser.analyse(picture, at(2 * i + 1));
    }
    expect(numbers.slice(0, 4)).toEqual([21, 22, 501, 502]);
  });

  it('are not spent on finds that are covered on one frame only', async () => {
    const vision = new FakeVision();
    vision.faces = [{ box: BOX, score: 0.8 }];
    const { detect } = vision.finder;
    vision.finder.detect = async (seen, window, minScore) =>
      window.width === seen.format.width ? detect(seen, window, minScore) : [];
    const analyser = vision.analyser({ mode: 'live' });
    for (let i = 0; i < 20; i++)
      expect((await analyser.analyse(picture, at(i))).faces.map((f) => f.personId)).toEqual([NOBODY]);
    vision.finder.detect = detect;
    vision.faces = [{ box: { ...BOX, x: 420 }, score: 0.95 }];
    expect((await analyser.analyse(picture, at(20))).faces.map((f) => f.personId)).toContain(1);
  });
});
