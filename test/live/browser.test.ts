import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Browser, chromiumPath, type ShownFrame } from './browser.ts';
import { FaceSearch, framesOf, isVeiled, personClip } from './people.ts';
import { postSdp } from './rtp-publisher.ts';
import { ServeProcess } from './serve-process.ts';
import { eventually, temporaryFolder } from './support.ts';

const PATIENCE_MS = 120_000;

describe.skipIf(!chromiumPath)('a browser on the relay (needs chromium)', { timeout: 420_000 }, () => {
  const folder = temporaryFolder();
  const clips = { anna: join(folder, 'anna.mjpeg'), bea: join(folder, 'bea.mjpeg') };
  const recordings = join(folder, 'recordings');
  const settings = {
    // The same understudies in every run: the figures do not move.
    sessionKey: '00112233445566778899aabbccddeeff',
    live: { segmentS: 2 },
    serve: {
      streams: {
        live: {},
        locked: { publishToken: 'may-send', viewToken: 'may-see' },
        a: {},
        b: {},
        camera: { source: join(folder, 'bea.mkv'), recordTo: recordings },
      },
    },
  };
  const browsers: Browser[] = [];
  let server: ServeProcess;
  let search: FaceSearch;
  let anna: Float32Array[];
  let bea: Float32Array[];

  beforeAll(async () => {
    personClip('anna', clips.anna);
    personClip('bea', clips.bea);
    personClip('bea', join(folder, 'bea.mkv'), '640x360', 10);
    search = await FaceSearch.create();
    anna = await search.person(clips.anna);
    bea = await search.person(clips.bea);
    server = await ServeProcess.start(settings);
  });
  afterEach(async () => {
    await Promise.all(browsers.splice(0).map((browser) => browser.close()));
  });
  afterAll(async () => {
    expect(await server?.stop()).toBe(0);
  });

  const open = async (camera: keyof typeof clips) => {
    const browser = await Browser.open(clips[camera], `${server.base}/demo`);
    browsers.push(browser);
    return browser;
  };
  const patiently = (condition: () => Promise<boolean>, what: string) =>
    eventually(condition, PATIENCE_MS, what).catch((error: Error) => {
      throw new Error(`${error.message}; the server said\n${server.log}`);
    });
  /** Waits for so many more frames and takes them. */
  const collect = async (browser: Browser, count: number): Promise<ShownFrame[]> => {
    const before = await browser.shown();
    await patiently(async () => (await browser.shown()) >= before + count, `${count} more frames`);
    return browser.take();
  };
  const pictures = (frames: readonly ShownFrame[]) => frames.filter((frame) => !isVeiled(frame));
  /** Takes frames until so many are not veiled, as those are that a machine with much else to do has no time for. */
  const collectPictures = async (browser: Browser, count: number): Promise<ShownFrame[]> => {
    const frames: ShownFrame[] = [];
    const enough = async () => {
      frames.push(...(await browser.take()));
      return pictures(frames).length >= count;
    };
    await patiently(enough, `${count} pictures`);
    return frames;
  };

  it('knows the people of its own clips, so that not finding them means something', async () => {
    expect(anna.length).toBeGreaterThanOrEqual(5);
    expect((await search.search(framesOf(clips.anna, 20), anna)).matches).toBeGreaterThanOrEqual(4);
    expect((await search.search(framesOf(clips.anna, 20), bea)).matches).toBe(0);
  });

  it('shows a viewer who came first the understudy and never the person, through mute, unmute and another size', async () => {
    const viewer = await open('bea');
    await viewer.watch('live');
    const publisher = await open('anna');
    await publisher.publish('live', { width: 640, height: 480 });
    const first = await collectPictures(viewer, 15);
    const seen = await search.search(first, anna);
    expect(seen.matches, `best cosine ${seen.best}`).toBe(0);
    expect(seen.withFace).toBeGreaterThan(0.7 * pictures(first).length);

    await publisher.mute(true);
    const muted = await collect(viewer, 5);
    expect((await search.search(muted, anna)).matches).toBe(0);
    await publisher.mute(false);
    const unmuted = await collect(viewer, 15);
    expect((await search.search(unmuted, anna)).matches).toBe(0);

    await publisher.replace(320, 240);
    const resized = await collectPictures(viewer, 15);
    const after = await search.search(resized, anna);
    expect(after.matches).toBe(0);
    expect(after.withFace).toBeGreaterThan(0);
    // The canvas stays what it was.
    expect(resized.at(-1)).toMatchObject({ width: 640, height: 480 });

    await publisher.stopPublishing();
    // Nobody is left looking at the last picture.
    const last: ShownFrame[] = [];
    await patiently(async () => {
      last.push(...(await viewer.take()));
      return last.length > 0 && isVeiled(last.at(-1)!);
    }, 'a veiled last frame');
    expect((await search.search(last, anna)).matches).toBe(0);
    expect(await server.metric('faces_total', 'stream="live",cover="generated"')).toBeGreaterThan(10);
  });

  it('takes one publisher only, and nobody without the token of the stream', async () => {
    const browser = await open('anna');
    const failure = (promise: Promise<void>) =>
      promise.then(
        () => 'accepted',
        (error: Error) => error.message,
      );
    const size = { width: 320, height: 240 };
    expect(await failure(browser.publish('locked', size))).toContain('401');
    expect(await failure(browser.publish('locked', { ...size, token: 'may-see' }))).toContain('401');
    expect(await failure(browser.watch('locked', 'may-send'))).toContain('401');
    await browser.publish('locked', { ...size, token: 'may-send' });
    const viewer = await open('bea');
    await viewer.watch('locked', 'may-see');
    const seen = await collectPictures(viewer, 10);
    const second = await open('bea');
    expect(await failure(second.publish('locked', { ...size, token: 'may-send' }))).toContain('409');
    expect(await failure(second.publish('camera', size))).toContain('409');
    expect(await failure(second.publish('nowhere', size))).toContain('404');
    expect(await failure(second.publish('locked', { ...size, token: 'may-see' }))).toContain('401');
    const malformed = await postSdp(`${server.base}/locked/whep`, 'v=0\r\nno SDP', 'may-see');
    expect(malformed.status).toBe(400);
    expect(JSON.parse(malformed.body)).toMatchObject({ status: 400, detail: expect.any(String) });
    // Who watches sees nothing of all that: the understudy goes on, and never the person.
    seen.push(...(await collectPictures(viewer, 10)));
    const searched = await search.search(seen, anna);
    expect(searched.matches, `best cosine ${searched.best}`).toBe(0);
    expect(searched.withFace).toBeGreaterThan(5);
    expect(server.log).not.toMatch(/may-send|may-see/);
  });

  it('lets two people meet on the page, each seeing only the other’s understudy', async () => {
    const [one, other] = [await open('anna'), await open('bea')];
    await other.addCamera('second');
    const meet = async (browser: Browser, mine: string, theirs: string) => {
      await browser.page.selectOption('#mine', mine);
      await browser.page.click('#publish');
      await browser.page.waitForFunction(`document.querySelector('#status').textContent.includes('sending')`);
      await browser.page.selectOption('#theirs', theirs);
      await browser.page.click('#watch');
      await browser.page.waitForFunction(`document.querySelector('#status').textContent.includes('watching')`);
      await browser.keepFramesOf('#remote');
    };
    await meet(one, 'a', 'b');
    await meet(other, 'b', 'a');
    await other.page.check('#muteVideo');
    const [ofBea, ofAnna] = await Promise.all([collect(one, 8), collect(other, 15)]);
    expect((await search.search(ofAnna, anna)).matches).toBe(0);
    expect((await search.search(ofBea, bea)).matches).toBe(0);
    /** Until an understudy is seen again: what was covered before is covered for a while where it was. */
    const seesFace = (when: string) =>
      patiently(async () => {
        const seen = await search.search(await collectPictures(one, 6), bea);
        expect(seen.matches, `best cosine ${seen.best} ${when}`).toBe(0);
        return seen.withFace > 0;
      }, `a face ${when}`);
    await other.page.uncheck('#muteVideo');
    await seesFace('after the camera was off');
    // Another camera, another size, the microphone off and on: what people do on the page while they are in a call.
    const cameras = await other.page
      .locator('#camera option')
      .evaluateAll((all) => all.map((option) => (option as HTMLOptionElement).value));
    expect(cameras).toEqual(['', expect.stringMatching(/./), 'second']);
    expect(cameras[1]).not.toBe('second');
    expect(pictures(await collectPictures(one, 1)).some(hasBand)).toBe(false);
    await other.page.selectOption('#camera', 'second');
    await patiently(async () => {
      const frames = await collect(one, 3);
      expect((await search.search(frames, bea)).matches, 'while the camera changes').toBe(0);
      return frames.some(hasBand);
    }, 'the other camera’s picture');
    await seesFace('of the other camera');
    await other.page.selectOption('#size', '640x480');
    await other.page.check('#muteAudio');
    await seesFace('in the other size');
    await other.page.uncheck('#muteAudio');
    expect(await other.page.textContent('#status')).not.toMatch(/error|fail|lost/i);
    // The canvas stays what it was.
    expect((await collectPictures(one, 1)).at(-1)).toMatchObject({ width: 640, height: 360 });
    await one.page.click('#leave');
    const free = async () => (await server.metric('publishing', 'stream="a"')) === 0;
    await patiently(free, 'the stream to be free again');
  });

  it('connects a page again, to send and to watch, when the server has been started again', async () => {
    const browser = await open('anna');
    const { page } = browser;
    const says = (word: string) =>
      page.waitForFunction(`document.querySelector('#status').textContent.includes('${word}')`, undefined, {
        timeout: PATIENCE_MS,
      });
    await page.selectOption('#mine', 'a');
    await page.click('#publish');
    await says('sending');
    await page.selectOption('#theirs', 'a');
    await page.click('#watch');
    await says('watching');
    await browser.keepFramesOf('#remote');
    await collect(browser, 3);
    expect(await server.stop()).toBe(0);
    await says('lost');
    server = await server.again();
    const publishing = async () => (await server.metric('publishing', 'stream="a"')) === 1;
    await patiently(publishing, 'the publisher to come again');
    await browser.take();
    const frames = await collectPictures(browser, 5);
    expect((await search.search(frames, anna)).matches).toBe(0);
    await page.click('#leave');
    await patiently(async () => !(await publishing()), 'the publisher to leave');
  });

  it('shows a browser the stream that the settings feed, and records nothing else than that', async () => {
    const viewer = await open('anna');
    await viewer.watch('camera');
    const seen = await search.search(await collect(viewer, 10), bea);
    expect(seen.matches, `best cosine ${seen.best}`).toBe(0);
    const segments = () =>
      readdirSync(recordings)
        .filter((name) => /^camera-\d{8}-\d{6}\.mp4$/.test(name))
        .sort();
    await patiently(async () => segments().length >= 4, 'four segments');
    // The last is still being written.
    const recorded = segments()
      .slice(0, -1)
      .flatMap((name) => framesOf(join(recordings, name), 3));
    expect(recorded.length).toBeGreaterThan(2);
    expect((await search.search(recorded, bea)).matches).toBe(0);
  });
});

/** Whether the lower edge is green, as the second camera's is. */
function hasBand({ width, height, rgba }: ShownFrame): boolean {
  const [red, green, blue] = rgba.subarray(4 * ((height - 3) * width + (width >> 1)));
  return green! > 120 && red! < 100 && blue! < 100;
}
