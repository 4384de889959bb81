import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MissingPackets } from '../../src/core/webrtc/missing-packets.ts';

function watched() {
  const asked: number[][] = [];
  const missing = new MissingPackets((lost) => void asked.push([...lost]));
  return { asked, missing };
}

describe('packets that do not come', () => {
  it('are asked for, those and no others, wherever the sequence numbers wrap', () => {
    const steps = fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 2, maxLength: 40 });
    fc.assert(
      fc.property(fc.nat(0xffff), steps, (first, gaps) => {
        const { asked, missing } = watched();
        const lost: number[] = [];
        let sequence = first;
        missing.packet(sequence & 0xffff, 0);
        for (const gap of gaps) {
          for (let i = 1; i < gap; i++) lost.push((sequence + i) & 0xffff);
          sequence += gap;
          missing.packet(sequence & 0xffff, 0);
        }
        missing.poll(10);
        expect(asked.flat()).toEqual(lost);
        missing.close();
      }),
    );
  });

  it('are asked for again until they come or it is too late', () => {
    const { asked, missing } = watched();
    missing.packet(0xfffe, 0);
    missing.packet(2, 0);
    missing.poll(1);
    expect(asked).toEqual([]);
    missing.poll(6);
    missing.poll(10);
    expect(asked).toEqual([[0xffff, 0, 1]]);
    missing.packet(0, 20);
    missing.poll(35);
    expect(asked[1]).toEqual([0xffff, 1]);
    missing.packet(1, 40);
    missing.poll(65);
    expect(asked[2]).toEqual([0xffff]);
    missing.poll(90);
    missing.poll(120);
    expect(asked).toHaveLength(3);
    missing.close();
  });

  it('are asked for once when nothing could be asked in time', () => {
    const { asked, missing } = watched();
    missing.packet(7, 0);
    missing.packet(9, 0);
    missing.poll(500);
    missing.poll(600);
    expect(asked).toEqual([[8]]);
    missing.close();
  });

  it('are not looked for in a hole that no sender can fill, and not between two senders', () => {
    const { asked, missing } = watched();
    missing.packet(100, 0);
    missing.packet(400, 0);
    missing.packet(402, 0);
    missing.packet(30_000, 0);
    missing.packet(30_001, 0);
    missing.poll(20);
    expect(asked).toEqual([]);
    missing.packet(30_003, 20);
    missing.poll(40);
    expect(asked).toEqual([[30_002]]);
    missing.close();
  });
});
