import { describe, expect, it } from 'vitest';
import { DelayedAudio } from '../../src/egress/webrtc/delayed-audio.ts';

const audio = () => new DelayedAudio<number>(() => {});

describe('DelayedAudio', () => {
  it('is soon where the pictures are, less what viewers buffer, although the first ones of a stream are late', () => {
    const sound = audio();
    for (let n = 0; n < 45; n++) sound.measured(n < 10 ? 600 - 40 * n : 110 + (n % 5));
    expect(sound.delayMs).toBeGreaterThan(45);
    expect(sound.delayMs).toBeLessThan(60);
  });

  it('does not wander with late pictures, and follows lasting lateness slowly', () => {
    const sound = audio();
    for (let n = 0; n < 100; n++) sound.measured(100);
    let largest = 0;
    for (let n = 0; n < 300; n++) {
      const before = sound.delayMs;
      sound.measured(n % 3 === 0 ? 350 : 100 + (n % 7));
      largest = Math.max(largest, Math.abs(sound.delayMs - before));
    }
    expect(largest).toBeLessThanOrEqual(1);
    expect(Math.abs(sound.delayMs - 44)).toBeLessThan(5);
    for (let n = 0; n < 200; n++) sound.measured(200);
    expect(sound.delayMs).toBe(140);
  });

  it('says nothing before the first picture, and then sends in order, none before its time', async () => {
    const sent: { packet: number; at: number }[] = [];
    const sound = new DelayedAudio<number>((packet) => sent.push({ packet, at: performance.now() }));
    sound.push(0);
    sound.measured(120);
    const began = performance.now();
    for (let n = 1; n <= 3; n++) sound.push(n, began + 20 * n);
    await new Promise((resolve) => setTimeout(resolve, 250));
    expect(sent.map((s) => s.packet)).toEqual([1, 2, 3]);
    for (const { packet, at } of sent) expect(at - began).toBeGreaterThanOrEqual(60 + 20 * packet - 1.5);
    sound.close();
    expect(sound.delayMs).toBe(0);
  });
});
