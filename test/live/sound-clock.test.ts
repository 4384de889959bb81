import { describe, expect, it } from 'vitest';
import { SoundClock } from '../../src/ingest/webrtc/sound-clock.ts';

const NTP_1900_S = 3_900_000_000;
const ntp = (ms: number) => BigInt(Math.round((NTP_1900_S + ms / 1000 + 0.1) * 2 ** 20)) << 12n;
/** A sender whose pictures and sound have RTP clocks of their own, near their wrap-around. */
const FIRST = { picture: 0xffff_8000, sound: 0xffff_f000 };
const pictureRtp = (ms: number) => (FIRST.picture + 90 * ms) >>> 0;
const soundRtp = (ms: number) => (FIRST.sound + 48 * ms) >>> 0;
const SOURCE_US = 1_000_000;

/**
 * Pictures that take `pictureMs` from the sender to us and sound that takes `soundMs`, for ten seconds.
 * @returns by how many milliseconds the sound of each second was placed too late
 */
function play(
  pictureMs: (ms: number) => number,
  soundMs: number,
  report: (medium: 'picture' | 'sound', ms: number) => bigint | undefined,
): number[] {
  const clock = new SoundClock();
  const events: { at: number; run: () => void }[] = [];
  const placed: number[] = [];
  for (let ms = 0; ms < 10_000; ms += 40) {
    const at = ms + pictureMs(ms);
    events.push({ at, run: () => clock.picture({ timestamp: pictureRtp(ms) }, SOURCE_US + ms * 1000, at) });
  }
  for (let ms = 0; ms < 10_000; ms += 20) {
    const at = ms + soundMs;
    const run = () => {
      const us = clock.place(soundRtp(ms), at);
      if (us !== undefined && ms % 1000 === 900) placed.push((us - SOURCE_US) / 1000 - ms);
    };
    events.push({ at, run });
  }
  for (let ms = 500; ms < 10_000; ms += 1000) {
    for (const medium of ['picture', 'sound'] as const) {
      const ntpTimestamp = report(medium, ms);
      const rtpTimestamp = medium === 'picture' ? pictureRtp(ms) : soundRtp(ms);
      if (ntpTimestamp) events.push({ at: ms + 50, run: () => clock.report(medium, { ntpTimestamp, rtpTimestamp }) });
    }
  }
  for (const { run } of events.sort((a, b) => a.at - b.at)) run();
  return placed;
}

const jitter = (ms: number) => 60 + ((ms * 7) % 30);

describe('the clock of a publisher’s sound', () => {
  it('goes by what arrives together, in few steps, when there are no reports', () => {
    const late = play(jitter, 20, () => undefined);
    expect(late).toHaveLength(10);
    // Sound overtakes the pictures by about 55 ms: with the picture of 55 ms before it arrives.
    for (const ms of late) expect(Math.abs(ms + 55)).toBeLessThan(30);
    expect(new Set(late.map((ms) => ms.toFixed(6))).size).toBeLessThan(4);
  });

  it('is exact with the reports of both media', () => {
    const late = play(jitter, 20, (_, ms) => ntp(ms));
    for (const ms of late.slice(1)) expect(Math.abs(ms)).toBeLessThanOrEqual(15);
  });

  it('takes no report of one medium alone, no decimal digits for a fraction, and nothing that is far off', () => {
    const arrival = play(jitter, 20, () => undefined);
    expect(play(jitter, 20, (medium, ms) => (medium === 'sound' ? ntp(ms) : undefined))).toEqual(arrival);
    const digits = (ms: number) => (BigInt(NTP_1900_S + Math.floor(ms / 1000)) << 32n) | BigInt(ms % 1000);
    expect(play(jitter, 20, (_, ms) => digits(ms))).toEqual(arrival);
    expect(play(jitter, 20, (medium, ms) => ntp(medium === 'sound' ? ms + 5000 : ms))).toEqual(arrival);
  });

  it('places nothing before the first picture', () => {
    const clock = new SoundClock();
    expect(clock.place(soundRtp(0), 0)).toBeUndefined();
    clock.report('sound', { ntpTimestamp: ntp(0), rtpTimestamp: soundRtp(0) });
    expect(clock.place(soundRtp(20), 20)).toBeUndefined();
  });
});
