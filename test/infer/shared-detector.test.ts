import { BroadcastChannel } from 'node:worker_threads';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Picture } from '../../src/core/vision.ts';
import { FaceDetector } from '../../src/infer/detector.ts';
import { DetectorHelpers, detectorThreads } from '../../src/infer/detector-helpers.ts';
import type { LookMessage, LookReply, LookRequest } from '../../src/infer/detector-messages.ts';
import { ModelStore } from '../../src/infer/model-store.ts';
import { HalvedPlanes } from '../../src/infer/picture-pyramid.ts';
import { SharedDetector } from '../../src/infer/shared-detector.ts';
import { stillWindows } from '../../src/track/still-windows.ts';
import { until } from '../live/support.ts';
import { demoPhoto } from '../support/demo-photo.ts';

const SCORE = 0.3;

describe('windows of one picture looked at by several threads', { timeout: 60_000 }, () => {
  let own: FaceDetector;
  let picture: Picture;
  const closing: (() => unknown)[] = [];

  beforeAll(async () => {
    own = await FaceDetector.create(ModelStore.open());
    const { planes, format } = demoPhoto(1);
    const shared = new Uint8Array(new SharedArrayBuffer(planes.length));
    shared.set(planes);
    picture = { planes: shared, format, pyramid: new HalvedPlanes().load(shared, format) };
  });
  afterEach(async () => {
    for (const close of closing.splice(0)) await close();
  });

  const windows = () => stillWindows(picture.format).slice(0, 24);
  const alone = async () => {
    const found = [];
    for (const window of windows()) found.push(await own.detect(picture, window, SCORE));
    return found;
  };
  const sharedOn = async (channel: string, helpers: number) => {
    const detector = new SharedDetector(own, channel);
    closing.unshift(() => detector.close());
    await until(() => detector.helpers === helpers, 20_000, 'the helpers');
    return detector;
  };
  /** A helper of which the test says what it does. */
  const helper = (channel: string, answer: (request: LookRequest, say: (reply: LookReply) => void) => void) => {
    const port = new BroadcastChannel(channel);
    closing.push(() => port.close());
    port.onmessage = (event) => {
      const message = (event as { data: LookMessage }).data;
      if (message.kind === 'who') port.postMessage({ kind: 'here', from: 'a test' } satisfies LookMessage);
      if (message.kind === 'look') answer(message, (reply) => port.postMessage(reply));
    };
  };
  const takeOne = ({ next }: LookRequest) => Atomics.add(new Int32Array(next), 0, 1);

  it('finds what one thread finds, window by window', async () => {
    const helpers = new DetectorHelpers(2, { executionProviders: ['cpu'] }, {});
    closing.push(() => helpers.close());
    await helpers.ready;
    const detector = await sharedOn(helpers.channel, 2);
    const expected = await alone();
    expect(expected.flat().length).toBeGreaterThan(5);
    expect(await detector.detectAll(picture, windows(), SCORE)).toEqual(expected);
    expect(await detector.detectAll(picture, windows(), SCORE)).toEqual(expected);
  });

  it('looks itself at what a helper took and never told of, and waits for it once only', async () => {
    let asked = 0;
    helper('mute', (request) => {
      asked++;
      takeOne(request);
    });
    const detector = await sharedOn('mute', 1);
    expect(await detector.detectAll(picture, windows(), SCORE)).toEqual(await alone());
    expect(detector.helpers).toBe(0);
    await detector.detectAll(picture, windows(), SCORE);
    expect(asked).toBe(1);
  });

  it('looks itself at what a helper failed at, and goes on asking it', async () => {
    let taken = 0;
    helper('failing', (request, say) => {
      if (takeOne(request) < request.windows.length) taken++;
      say({ kind: 'looked', id: request.id, from: 'a test', found: [] });
    });
    const detector = await sharedOn('failing', 1);
    expect(await detector.detectAll(picture, windows(), SCORE)).toEqual(await alone());
    expect(taken).toBe(1);
    expect(detector.helpers).toBe(1);
  });

  it('takes no answer to an earlier look, whose picture is gone', async () => {
    helper('late', (request, say) => {
      const found = request.windows.map((_, i) => [i, []] as [number, never[]]);
      say({ kind: 'looked', id: request.id - 1, from: 'a test', found });
      takeOne(request);
    });
    const detector = await sharedOn('late', 1);
    expect(await detector.detectAll(picture, windows(), SCORE)).toEqual(await alone());
  });

  it('takes no answer to the first look of an analysis that has died since', async () => {
    const first: number[] = [];
    helper('lives', (request, say) => {
      first.push(request.id);
      const found = request.windows.map((_, i) => [i, []] as [number, never[]]);
      if (first.length === 1) return;
      say({ kind: 'looked', id: first[0]!, from: 'a test', found });
      for (let i = 0; i < 20; i++) takeOne(request);
    });
    const died = await sharedOn('lives', 1);
    await died.detectAll(picture, windows().slice(0, 2), SCORE);
    died.close();
    const next = await sharedOn('lives', 1);
    expect(await next.detectAll(picture, windows(), SCORE)).toEqual(await alone());
  });

  it('fails when the detector of this thread does', async () => {
    helper('idle', ({ id }, say) => say({ kind: 'looked', id, from: 'a test', found: [] }));
    const broken = { detect: () => Promise.reject(new Error('no numbers')) };
    const detector = new SharedDetector(broken, 'idle');
    closing.unshift(() => detector.close());
    await until(() => detector.helpers === 1, 20_000, 'the helper');
    await expect(detector.detectAll(picture, windows(), SCORE)).rejects.toThrow('no numbers');
  });

  it('has one thread for streams on a small machine, all cores for still pictures, and what it is told otherwise', () => {
    expect([1, 2, 3, 4, 6, 32].map((cores) => detectorThreads('auto', false, cores))).toEqual([1, 1, 1, 2, 4, 4]);
    expect([1, 2, 32].map((cores) => detectorThreads('auto', true, cores))).toEqual([1, 2, 4]);
    expect(detectorThreads(3, false, 2)).toBe(3);
  });
});
