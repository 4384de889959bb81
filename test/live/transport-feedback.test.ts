import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TransportFeedback, transportFeedback } from '../../src/core/webrtc/transport-feedback.ts';

interface Told {
  readonly first: number;
  readonly count: number;
  /** Arrival in microseconds by sequence number; those that are missing were reported as lost. */
  readonly arrivals: Map<number, number>;
  readonly statuses: number;
}

/** Reads a message as the draft has it, status vectors of two-bit symbols only. */
function read(packet: Buffer): Told {
  expect(packet.length % 4).toBe(0);
  expect(packet.readUInt16BE(2)).toBe(packet.length / 4 - 1);
  expect([packet[0]! & 0xdf, packet[1]]).toEqual([0x8f, 205]);
  const padding = packet[0]! & 0x20 ? packet.at(-1)! : 0;
  const first = packet.readUInt16BE(12);
  const statuses = packet.readUInt16BE(14);
  let timeUs = packet.readUIntBE(16, 3) * 64_000;
  const symbols: number[] = [];
  let at = 20;
  while (symbols.length < statuses) {
    const chunk = packet.readUInt16BE(at);
    expect(chunk >> 14).toBe(3);
    for (let i = 0; i < 7; i++) symbols.push((chunk >> (12 - 2 * i)) & 3);
    at += 2;
  }
  const arrivals = new Map<number, number>();
  symbols.slice(0, statuses).forEach((symbol, i) => {
    if (symbol === 0) return;
    timeUs += 250 * (symbol === 1 ? packet[at]! : packet.readInt16BE(at));
    at += symbol;
    arrivals.set((first + i) & 0xffff, timeUs);
  });
  expect(at).toBe(packet.length - padding);
  return { first, count: packet[19]!, arrivals, statuses };
}

describe('transport-wide feedback', () => {
  it('tells when each packet arrived, to 250 µs, and which are missing, whatever order and gaps they came in', () => {
    const steps = fc.array(
      fc.record({ gap: fc.integer({ min: 1, max: 9 }), us: fc.integer({ min: -400_000, max: 2_000_000 }) }),
      {
        minLength: 1,
        maxLength: 60,
      },
    );
    fc.assert(
      fc.property(fc.nat(0xffff), fc.integer({ min: 30_000_000, max: 900_000_000 }), steps, (first, startUs, list) => {
        let [sequence, arrivedUs] = [first - 1, startUs];
        const arrivals = list.map(({ gap, us }) => {
          sequence += gap;
          arrivedUs += us;
          return { sequence, arrivedUs };
        });
        const told = read(transportFeedback({ sender: 1, media: 2 }, first, arrivals, 300));
        expect(told).toMatchObject({ first, count: 44, statuses: arrivals.at(-1)!.sequence - first + 1 });
        expect(told.arrivals.size).toBe(arrivals.length);
        for (const arrival of arrivals) {
          const error = arrival.arrivedUs - told.arrivals.get(arrival.sequence & 0xffff)!;
          expect(error).toBeGreaterThanOrEqual(0);
          expect(error).toBeLessThan(250);
        }
      }),
    );
  });

  it('reports packets across the wrap, a loss between two messages, a late packet, and a new sender', () => {
    const sent: Told[] = [];
    const feedback = new TransportFeedback(
      () => ({ sender: 1, media: 2 }),
      (packet) => sent.push(read(packet)),
    );
    feedback.packet(0xfffe, 1000);
    feedback.packet(0xffff, 1001);
    feedback.packet(1, 1002);
    feedback.flush(1050);
    expect([...sent[0]!.arrivals.keys()]).toEqual([0xfffe, 0xffff, 1]);
    feedback.packet(4, 1060);
    feedback.flush(1100);
    expect(sent[1]).toMatchObject({ first: 2, count: 1, statuses: 3 });
    expect([...sent[1]!.arrivals]).toEqual([[4, 1_060_000]]);
    feedback.packet(0, 1110);
    feedback.flush(1150);
    expect(sent[2]).toMatchObject({ first: 0, statuses: 1 });
    feedback.packet(5, 1160);
    feedback.packet(30_000, 1170);
    feedback.flush(1200);
    expect(sent[3]).toMatchObject({ first: 30_000, statuses: 1 });
    feedback.flush(1250);
    expect(sent).toHaveLength(4);
    feedback.close();
  });
});
