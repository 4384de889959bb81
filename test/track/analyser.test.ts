import { describe, expect, it } from 'vitest';
import type { Region } from '../../src/core/face-track.ts';
import { StreamAnalyser } from '../../src/track/analyser.ts';
import { PersonGallery } from '../../src/track/person.ts';
import { at, FakeVision, fixtureShape, grayPicture } from './fakes.ts';

const picture = grayPicture();
const BOX = { x: 200, y: 150, width: 80, height: 100 };

describe('StreamAnalyser', () => {
  it('covers a face on the first frame it is found on', async () => {
    const vision = new FakeVision();
    vision.faces = [{ box: BOX, score: 0.95 }];
    const { faces, started } = await vision.analyser().analyse(picture, at(0));
    expect(started).toEqual([1]);
    const face = faces[0]!;
    expect(face.cover).toBe('generated');
    expect(face.own).toHaveLength(140);
    expect(face.driven).toHaveLength(140);
    expect(face.raw).toHaveLength(140);
    expect(face.region.x).toBeLessThan(BOX.x);
    expect(face.region.width).toBeGreaterThan(1.3 * BOX.width);
  });

  it('covers a doubtful find solid, and one whose landmarks are not trusted', async () => {
    const vision = new FakeVision();
    vision.faces = [
      { box: BOX, score: 0.55 },
      { box: { ...BOX, x: 420 }, score: 0.95, wobble: 0.4 },
    ];
    const { faces } = await vision.analyser().analyse(picture, at(0));
    expect(faces.map((f) => f.cover)).toEqual(['solid', 'solid']);
    expect(faces.every((f) => f.toPicture === undefined && f.own === undefined)).toBe(true);
  });

  it('covers a live find that no second look supports, without following it; a recording waits for a look that does, unless it is all but sure', async () => {
    for (const [mode, score, covers] of [
      ['live', 0.8, ['solid']],
      ['file', 0.8, []],
      ['still', 0.99, []],
      ['file', 0.997, ['solid']],
      ['still', 0.997, ['solid']],
    ] as const) {
      const vision = new FakeVision();
      vision.faces = [{ box: BOX, score }];
      const detect = vision.finder.detect;
      vision.finder.detect = async (seen, window, minScore) =>
        window.width === seen.format.width ? detect(seen, window, minScore) : [];
      const analyser = vision.analyser({ mode });
      for (let i = 0; i < 3; i++) {
        const { faces, started } = await analyser.analyse(picture, at(i));
        expect(started).toEqual([]);
        expect(faces.map((f) => f.cover)).toEqual(covers);
        for (const face of faces) expect(face.region.x).toBeLessThan(BOX.x);
      }
    }
  });

  it('takes a narrow find beside a face as large for somebody half behind it, and no other narrow one', async () => {
    const front = { box: BOX, score: 0.97 };
    const narrow = { x: BOX.x + 0.9 * BOX.width, y: BOX.y, width: 0.5 * BOX.height, height: BOX.height };
    for (const [others, box, covers] of [
      [[front], narrow, 2],
      [[front], { ...narrow, x: narrow.x + BOX.width }, 1],
      // As an ear and a neck are.
      [[front], { ...narrow, y: BOX.y + 30, width: 20, height: 40 }, 1],
      [[front], { ...narrow, x: BOX.x + 20, y: BOX.y + 0.8 * BOX.height }, 1],
      [[], narrow, 0],
    ] as const) {
      const vision = new FakeVision();
      vision.faces = [...others, { box, score: 0.85 }];
      const { faces } = await vision.analyser({ mode: 'still' }).analyse(picture, at(0));
      expect(faces, JSON.stringify(box)).toHaveLength(covers);
    }
  });

  it('covers what may be half behind a face also when no second look supports it', async () => {
    for (const [x, covers] of [
      [BOX.x + BOX.width, 2],
      [BOX.x + 2 * BOX.width, 1],
    ] as const) {
      const vision = new FakeVision();
      vision.faces = [{ box: BOX, score: 0.97 }];
      const detect = vision.finder.detect;
      const half = { ...BOX, x, score: 0.85 };
      vision.finder.detect = async (seen, window, minScore) => {
        const found = await detect(seen, window, minScore);
        return window.width === seen.format.width && window.quarterTurns === 0 ? [...found, half] : found;
      };
      const { faces } = await vision.analyser({ mode: 'file' }).analyse(picture, at(0));
      expect(faces, `${x}`).toHaveLength(covers);
    }
  });

  it('takes the upright one of two finds that are much alike, whichever is larger: turned windows show hair and neck, too', async () => {
    const vision = new FakeVision();
    vision.faces = [{ box: BOX, score: 0.99 }];
    const detect = vision.finder.detect;
    // Chin and neck at first, and the whole head with them when looked at once more.
    const neck = { x: BOX.x + 5, y: BOX.y + 58, width: 70, height: 80, score: 0.8 };
    const head = { x: BOX.x - 4, y: BOX.y - 4, width: 88, height: 150, score: 0.98 };
    vision.finder.detect = async (seen, window, minScore) => {
      if (window.quarterTurns === 0) return detect(seen, window, minScore);
      const again = Math.abs(window.x + window.width / 2 - (neck.x + 35)) < 1;
      return window.quarterTurns === 2 ? [again ? head : neck] : [];
    };
    const { faces } = await vision.analyser({ mode: 'still' }).analyse(picture, at(0));
    expect(faces.map((f) => f.score)).toEqual([0.99]);
  });

  it('covers no doubtful find that is a part of a face seen whole', async () => {
    const vision = new FakeVision();
    const analyser = vision.analyser();
    vision.faces = [{ box: BOX, score: 0.999 }];
    await analyser.analyse(picture, at(0));
    const detect = vision.finder.detect;
    const half = { ...BOX, y: BOX.y + 0.1 * BOX.height, height: 0.35 * BOX.height, width: 0.6 * BOX.width };
    const corner = { x: BOX.x + 62, y: BOX.y + 78, width: 20, height: 24 };
    for (const [box, solid] of [
      [half, 0],
      [corner, 1],
      [{ ...half, x: BOX.x + 2 * BOX.width }, 1],
    ] as const) {
      vision.finder.detect = async (seen, window, minScore) => {
        const whole = window.width === seen.format.width;
        return [...(await detect(seen, window, minScore)), ...(whole ? [{ ...box, score: 0.998 }] : [])];
      };
      const { faces } = await analyser.analyse(picture, at(1 + solid));
      expect(faces.filter((f) => f.cover === 'solid').length).toBe(solid);
    }
  });

  it('covers somebody farther away in a corner of a large box, beside the face that is drawn there, however weakly he is seen', async () => {
    const near = { box: { x: 200, y: 100, width: 200, height: 200 }, score: 0.97 };
    const far = (score: number) => ({ box: { x: 364, y: 264, width: 40, height: 44 }, score });
    for (const [first, then] of [
      [0.95, 0.5],
      [0.6, 0.6],
    ] as const) {
      const vision = new FakeVision();
      const analyser = vision.analyser();
      for (let i = 0; i < 45; i++) {
        vision.faces = [near, far(i === 0 ? first : then)];
        const { faces } = await analyser.analyse(picture, at(i));
        expect(faces.filter(({ region }) => region.height < 100).length, `frame ${i}`).toBe(1);
      }
    }
  });

  it('takes nothing small on the body of somebody close for a face when only a native tile shows it, but covers it anywhere else', async () => {
    const big = { x: 500, y: 200, width: 170, height: 230 };
    const small = { width: 28, height: 36 };
    const hd = grayPicture(1280, 720);
    const covered = async (x: number, y: number) => {
      const vision = new FakeVision();
      vision.faces = [{ box: big, score: 0.95 }];
      const analyser = vision.analyser();
      await analyser.analyse(hd, at(0));
      vision.faces.push({ box: { ...small, x, y }, score: 0.97 });
      const detect = vision.finder.detect;
      // Too small for any window but a native one.
      vision.finder.detect = async (seen, window, minScore) =>
        (await detect(seen, window, minScore)).filter((d) => d.height > 100 || window.width <= 320);
      let seen = false;
      for (let i = 1; i <= 60; i++)
        seen ||= (await analyser.analyse(hd, at(i))).faces.some((f) => f.region.height < 120);
      return seen;
    };
    expect(await covered(580, 500)).toBe(false); // on the chest
    expect(await covered(690, 260)).toBe(false); // at the ear
    expect(await covered(900, 260)).toBe(true);
    expect(await covered(580, 60)).toBe(true);
  });

  it('is not convinced by slivers, unless the picture ends there or they are certain', async () => {
    for (const [x, score, faces] of [
      [300, 0.9, 0],
      [0, 0.9, 1],
      [300, 0.98, 1],
    ] as const) {
      const vision = new FakeVision();
      vision.faces = [{ box: { x, y: 150, width: 40, height: 100 }, score }];
      expect((await vision.analyser().analyse(picture, at(0))).faces.length).toBe(faces);
    }
  });

  it('looks everywhere on the first frame that can be looked at', async () => {
    const vision = new FakeVision();
    const analyser = vision.analyser({ mode: 'live' });
    const detect = vision.finder.detect;
    vision.finder.detect = () => Promise.reject(new Error('no answer'));
    await expect(analyser.analyse(picture, at(0))).rejects.toThrow('no answer');
    vision.finder.detect = detect;
    const looks = async (sequence: number) => {
      vision.windows = [];
      await analyser.analyse(picture, at(sequence));
      return vision.windows.length;
    };
    expect(await looks(1)).toBeGreaterThan(await looks(2));
  });

  it('holds a missed face on its motion, then covers it solid, and leaves no gap until it is gone', async () => {
    const vision = new FakeVision();
    const analyser = vision.analyser({ holdFrames: 3, solidFrames: 5 });
    for (let i = 0; i < 10; i++) {
      vision.faces = [{ box: { ...BOX, x: BOX.x + 4 * i }, score: 0.95 }];
      await analyser.analyse(picture, at(i));
    }
    vision.faces = [];
    const covers: string[] = [];
    let firstX = 0;
    for (let i = 10; i < 18; i++) {
      const { faces } = await analyser.analyse(picture, at(i));
      covers.push(faces[0]!.cover);
      if (i === 10) firstX = faces[0]!.region.x + faces[0]!.region.width / 2;
    }
    expect(covers).toEqual(['held', 'held', 'held', 'solid', 'solid', 'solid', 'solid', 'solid']);
    expect(firstX).toBeGreaterThan(BOX.x + 40 + 4 * 9);
    const { faces, ended } = await analyser.analyse(picture, at(18));
    expect(faces).toHaveLength(0);
    expect(ended).toEqual([1]);
  });

  it('keeps the number of a face and takes it up again after a miss', async () => {
    const vision = new FakeVision();
    const analyser = vision.analyser();
    const script = [true, true, false, false, true];
    const ids = [];
    for (const [i, there] of script.entries()) {
      vision.faces = there ? [{ box: BOX, score: 0.95 }] : [];
      ids.push((await analyser.analyse(picture, at(i))).faces[0]!.trackId);
    }
    expect(ids).toEqual([1, 1, 1, 1, 1]);
  });

  it('finds a face that lies on its side once it has been lost upright', async () => {
    const vision = new FakeVision();
    const analyser = vision.analyser();
    vision.faces = [{ box: BOX, score: 0.95 }];
    await analyser.analyse(picture, at(0));
    vision.faces = [{ box: BOX, score: 0.95, turns: 3 }];
    const scores = [];
    for (let i = 1; i < 4; i++) scores.push((await analyser.analyse(picture, at(i))).faces[0]!.cover);
    expect(scores.slice(1)).not.toContain('held');
  });

  it('ends FaceTracks at a scene cut, and does not search beyond it', async () => {
    const vision = new FakeVision();
    const analyser = vision.analyser();
    vision.faces = [{ box: BOX, score: 0.95 }];
    await analyser.analyse(picture, at(0));
    const other = grayPicture(640, 480, 2.7);
    const cut = await analyser.analyse(other, at(1));
    expect(cut.ended).toEqual([1]);
    expect(cut.started).toEqual([2]);
    expect(await analyser.searchBack(picture, at(0), 2)).toBe('scene-cut');
  });

  it('keeps a solid cover over somebody who could not be found when a cut was seen, until another face is seen there', async () => {
    const vision = new FakeVision();
    const analyser = vision.analyser({ mode: 'live' });
    vision.faces = [{ box: BOX, score: 0.95 }];
    await analyser.analyse(picture, at(0));
    vision.faces = [];
    await analyser.analyse(picture, at(1));
    const other = grayPicture(640, 480, 2.7);
    for (let i = 2; i < 20; i++) {
      const { faces } = await analyser.analyse(other, at(i));
      expect(faces.map((f) => f.cover)).toEqual(['solid']);
      expect(faces[0]!.region.x).toBeLessThan(BOX.x);
    }
    vision.faces = [{ box: BOX, score: 0.95 }];
    const back = await analyser.analyse(other, at(20));
    expect(back.faces.map((f) => f.cover)).toEqual(['generated']);
    expect(back.ended).toEqual([1]);
    vision.faces = [];
    const third = grayPicture(640, 480, 4.1);
    expect((await analyser.analyse(third, at(21))).faces).toEqual([]);
  });

  it('lets such a cover go in the end', async () => {
    const vision = new FakeVision();
    const analyser = vision.analyser();
    vision.faces = [{ box: BOX, score: 0.95 }];
    await analyser.analyse(picture, at(0));
    vision.faces = [];
    await analyser.analyse(picture, at(1));
    const other = grayPicture(640, 480, 2.7);
    const ended: number[] = [];
    let last: number | undefined;
    for (let i = 2; i < 40; i++) {
      const result = await analyser.analyse(other, at(i));
      ended.push(...result.ended);
      if (result.faces.length > 0) last = i;
    }
    expect(ended).toEqual([1]);
    expect(last).toBe(25);
  });

  it('holds a missed face for a quarter of a second, however few frames that is', async () => {
    const vision = new FakeVision();
    const analyser = vision.analyser({ mode: 'live' });
    const slow = (i: number) => ({ sequence: i, timestampUs: i * 200_000 });
    vision.faces = [{ box: BOX, score: 0.95 }];
    for (let i = 0; i < 3; i++) await analyser.analyse(picture, slow(i));
    vision.faces = [];
    const covers = [];
    for (let i = 3; i < 6; i++) covers.push((await analyser.analyse(picture, slow(i))).faces[0]!.cover);
    expect(covers).toEqual(['held', 'solid', 'solid']);
  });

  it('finds faces that stand on their heads, all of them once one is followed', async () => {
    const vision = new FakeVision();
    const analyser = vision.analyser();
    const inverted = (x: number) => ({ box: { ...BOX, x }, score: 0.95, turns: 2 });
    vision.faces = [inverted(100)];
    expect((await analyser.analyse(picture, at(0))).faces).toHaveLength(1);
    vision.faces = [inverted(100), inverted(420)];
    expect((await analyser.analyse(picture, at(1))).faces).toHaveLength(2);
  });

  it('a flash ends nothing', async () => {
    const vision = new FakeVision();
    const analyser = vision.analyser();
    vision.faces = [{ box: BOX, score: 0.95 }];
    await analyser.analyse(picture, at(0));
    const flash = grayPicture();
    flash.planes.fill(250);
    vision.faces = [];
    expect((await analyser.analyse(flash, at(1))).faces[0]!.cover).toBe('held');
    vision.faces = [{ box: BOX, score: 0.95 }];
    expect((await analyser.analyse(picture, at(2))).faces[0]!.trackId).toBe(1);
  });

  it('searches earlier frames: generated where found, solid where not', async () => {
    const vision = new FakeVision();
    const analyser = vision.analyser();
    for (let i = 0; i < 4; i++) await analyser.analyse(picture, at(i));
    vision.faces = [{ box: BOX, score: 0.95 }];
    const { started } = await analyser.analyse(picture, at(4));
    vision.faces = [{ box: { ...BOX, x: BOX.x - 6 }, score: 0.25 }];
    const earlier = await analyser.searchBack(picture, at(3), started[0]!);
    expect(earlier).toMatchObject({ cover: 'generated', trackId: 1, personId: 1 });
    vision.faces = [];
    const missed = await analyser.searchBack(picture, at(2), started[0]!);
    expect(missed).toMatchObject({ cover: 'solid', trackId: 1 });
  });

  it('numbers the persons of pictures that share a gallery alike, whichever is looked at first', async () => {
    const people = [Float32Array.of(1, 0), Float32Array.of(0, 1)];
    const numbersIn = async (order: readonly number[]) => {
      const vision = new FakeVision();
      vision.faces = [{ box: BOX, score: 0.95 }];
      const gallery = new PersonGallery(vision.embedder, 0.5);
      const numbers: number[] = [];
      for (const n of order) {
        vision.embedding = people[n]!;
        const options = { mode: 'still', sessionKey: new Uint8Array(32), firstPerson: 1 + 100 * n } as const;
        const analyser = new StreamAnalyser({ ...vision, gallery }, fixtureShape(), options);
        numbers[n] = (await analyser.analyse(picture, at(0))).faces[0]!.personId;
      }
      return numbers;
    };
    expect(await numbersIn([0, 1])).toEqual([1, 101]);
    expect(await numbersIn([1, 0])).toEqual([1, 101]);
  });

  it('gives the same person the same number again, and two people in one picture never the same', async () => {
    const vision = new FakeVision();
    const analyser = vision.analyser({ holdFrames: 0, solidFrames: 0 });
    vision.faces = [{ box: BOX, score: 0.95 }];
    const first = (await analyser.analyse(picture, at(0))).faces[0]!;
    vision.faces = [];
    await analyser.analyse(picture, at(1));
    vision.faces = [{ box: { ...BOX, x: 450, y: 50 }, score: 0.95 }];
    const second = (await analyser.analyse(picture, at(2))).faces[0]!;
    expect(second.trackId).not.toBe(first.trackId);
    expect(second.personId).toBe(first.personId);
    vision.faces.push({ box: BOX, score: 0.95 });
    const both = (await analyser.analyse(picture, at(3))).faces;
    expect(new Set(both.map((f) => f.personId)).size).toBe(2);
  });

  it('looks everywhere once more when the look at a new scene failed on the way, though all windows had been looked at', async () => {
    const [scene, next] = [grayPicture(1280, 720), grayPicture(1280, 720, 2)];
    const near = { box: { x: 200, y: 100, width: 160, height: 200 }, score: 0.97 };
    const far = { x: 1100, y: 600, width: 30, height: 36 };
    const vision = new FakeVision();
    vision.faces = [near];
    const analyser = vision.analyser({ mode: 'live' });
    for (let i = 0; i < 3; i++) await analyser.analyse(scene, at(i));
    // Somebody far away is seen in native tiles only, and in the second looks, of which the first fails.
    const detect = vision.finder.detect;
    let failed = false;
    vision.finder.detect = async (seen, window, minScore) => {
      if (!failed && window.width < 200) {
        failed = true;
        throw new Error('the network failed');
      }
      const found = await detect(seen, window, minScore);
      return window.width <= 320 ? found : found.filter(({ width }) => width > 50);
    };
    vision.faces = [near, { box: far, score: 0.97 }];
    await expect(analyser.analyse(next, at(3))).rejects.toThrow('failed');
    const { faces } = await analyser.analyse(next, at(4));
    expect(faces.map(({ region }) => region.x > 1000).sort()).toEqual([false, true]);
  });

  it('keeps the cover of somebody who is lost where he was, though the turned look for him shows the one beside him', async () => {
    const near = { box: { ...BOX, x: BOX.x + 70 }, score: 0.97 };
    const cheek = { x: near.box.x + 4, y: near.box.y + 52, width: 60, height: 44 };
    for (const [shown, score] of [
      [near.box, 0.9],
      [cheek, 0.97],
    ] as const) {
      const vision = new FakeVision();
      const analyser = vision.analyser();
      vision.faces = [{ box: BOX, score: 0.97 }, near];
      for (let i = 0; i < 10; i++) await analyser.analyse(picture, at(i));
      vision.faces = [near, { box: shown, score, turns: 1 }, { box: shown, score, turns: 3 }];
      for (let i = 10; i < 30; i++) {
        const { faces } = await analyser.analyse(picture, at(i));
        const middle = faces.map(({ region }) => Math.round(region.x + region.width / 2)).sort((a, b) => a - b);
        expect(middle, `frame ${i}`).toHaveLength(2);
        expect(Math.abs(middle[0]! - BOX.x - BOX.width / 2), `frame ${i}`).toBeLessThan(10);
      }
    }
  });

  it('takes a lying find over a face that is seen whole for that face, and one beside it for somebody else', async () => {
    const upright = { box: { x: 200, y: 150, width: 120, height: 160 }, score: 0.99 };
    const lying = (box: Region) => ({ box, score: 0.99, turns: 3 });
    // As the detector has it of a portrait: the upper half with the hair, less than two thirds of it within the upright find.
    const hair = lying({ x: 205, y: 95, width: 125, height: 125 });
    const cheek = lying({ x: 205, y: 215, width: 70, height: 50 });
    const atChin = lying({ x: 240, y: 285, width: 70, height: 50 });
    const child = lying({ x: 215, y: 250, width: 90, height: 110 });
    const beside = lying({ x: 300, y: 160, width: 130, height: 120 });
    for (const [other, people] of [
      [hair, 1],
      [cheek, 1],
      [atChin, 2],
      [child, 2],
      [beside, 2],
    ] as const) {
      const still = new FakeVision();
      still.faces = [upright, other];
      const { faces } = await still.analyser({ mode: 'still' }).analyse(picture, at(0));
      expect(faces, `still ${JSON.stringify(other.box)}`).toHaveLength(people);

      const vision = new FakeVision();
      const analyser = vision.analyser({ mode: 'file' });
      vision.faces = [upright];
      await analyser.analyse(picture, at(0));
      vision.faces = [upright, other];
      const seen = new Set<number>();
      // Windows that are turned take turns with others.
      for (let i = 1; i < 60; i++) for (const f of (await analyser.analyse(picture, at(i))).faces) seen.add(f.trackId);
      expect(seen.size, JSON.stringify(other.box)).toBe(people);
    }
  });

  it('rejects when the detector fails, so that the frame is veiled', async () => {
    const vision = new FakeVision();
    vision.finder.detect = () => Promise.reject(new Error('gone'));
    await expect(vision.analyser().analyse(picture, at(0))).rejects.toThrow('gone');
  });

  it('covers solid when the landmark model fails', async () => {
    const vision = new FakeVision();
    vision.faces = [{ box: BOX, score: 0.95 }];
    vision.landmarks.find = () => Promise.reject(new Error('gone'));
    const { faces } = await vision.analyser().analyse(picture, at(0));
    expect(faces[0]!.cover).toBe('solid');
  });
});
