import { describe, expect, it } from 'vitest';
import { FACE_SLOTS, FaceSlots } from '../../src/pipeline/face-slots.ts';

describe('FaceSlots', () => {
  it('has as many for the next frames while a hung worker keeps some, and gives none of those out', async () => {
    const slots = new FaceSlots(4);
    const free = () => {
      const taken: number[] = [];
      for (let slot = slots.tryTake(); slot !== undefined; slot = slots.tryTake()) taken.push(slot);
      for (const slot of taken) slots.give(slot);
      return taken;
    };
    const [lost, late] = [slots.tryTake()!, slots.tryTake()!];
    let answer = () => {};
    slots.giveAfter(lost, new Promise(() => {}));
    slots.giveAfter(
      late,
      new Promise<void>((resolve) => {
        answer = resolve;
      }),
    );
    expect(new Set(free()).size).toBe(FACE_SLOTS);
    expect(free()).not.toContain(lost);
    expect(free()).not.toContain(late);
    answer();
    await Promise.resolve();
    // The late one is a spare now: its like must not be more than there were.
    expect(free()).toHaveLength(FACE_SLOTS);
  });

  it('lets a frame that waits go on with a spare', async () => {
    const slots = new FaceSlots(1);
    const taken = await Promise.all(Array.from({ length: FACE_SLOTS }, () => slots.take()));
    const waiting = slots.take();
    slots.giveAfter(taken[0]!, new Promise(() => {}));
    expect(await waiting).toBe(FACE_SLOTS);
    // Without a spare it is given back when it is free again, and not before.
    let answer = () => {};
    slots.giveAfter(
      taken[1]!,
      new Promise<void>((resolve) => {
        answer = resolve;
      }),
    );
    expect(slots.tryTake()).toBeUndefined();
    answer();
    await Promise.resolve();
    expect(slots.tryTake()).toBe(taken[1]);
  });
});
