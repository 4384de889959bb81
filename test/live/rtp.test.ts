import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { joinAnnexB, splitAnnexB } from '../../src/core/h264.ts';
import { type CodedPicture, type Depacketizer, type RtpPayload, TimestampUnwrapper } from '../../src/core/rtp.ts';
import { H264Depacketizer, packetizeH264 } from '../../src/core/rtp-h264.ts';
import { ReorderBuffer } from '../../src/core/rtp-reorder.ts';
import { isVp8Key, packetizeVp8, parseVp8Descriptor, Vp8Depacketizer, vp8Size } from '../../src/core/rtp-vp8.ts';

/** A NAL unit that ends in a non-zero byte and holds no start code, as every encoder writes it. */
const nal = (type: number, maxLength: number) =>
  fc
    .uint8Array({ minLength: 1, maxLength })
    .map((body) => Uint8Array.from([0x60 | type, ...body.map((b) => b | 4), 0x80]));

const accessUnit = fc
  .array(fc.tuple(fc.constantFrom(1, 5, 6, 7, 8), fc.constantFrom(20, 700, 4000)), { minLength: 1, maxLength: 5 })
  .chain((shapes) => fc.tuple(...shapes.map(([type, size]) => nal(type, size))));

function packets(payloads: Uint8Array[], timestamp: number, firstSequence: number): RtpPayload[] {
  return payloads.map((payload, i) => ({
    payload,
    timestamp,
    sequenceNumber: (firstSequence + i) & 0xffff,
    marker: i === payloads.length - 1,
  }));
}

const feed = (depacketizer: Depacketizer, list: readonly RtpPayload[]): (CodedPicture | 'broken')[] =>
  list.flatMap((packet) => depacketizer.push(packet));

describe('VP8 over RTP', () => {
  const picture = fc.uint8Array({ minLength: 11, maxLength: 5000 }).map((bytes) => {
    bytes[0] = bytes[0]! | 1;
    return bytes;
  });

  it('gives back what was packetized, with the PictureID, in packets of at most 1200 bytes', () => {
    fc.assert(
      fc.property(picture, fc.nat(0x7fff), (data, id) => {
        const payloads = packetizeVp8(data, id);
        for (const payload of payloads) {
          expect(payload.length).toBeLessThanOrEqual(1200);
          expect(parseVp8Descriptor(payload)?.pictureId).toBe(id);
        }
        const [out] = feed(new Vp8Depacketizer(), packets(payloads, 7, 0));
        expect((out as CodedPicture).data).toEqual(data);
        expect((out as CodedPicture).key).toBe(false);
      }),
    );
  });

  it('never returns a picture that lacks a packet', () => {
    fc.assert(
      fc.property(picture, fc.nat(), (data, pick) => {
        const list = packets(packetizeVp8(data, 1, 300), 7, 0);
        const missing = pick % list.length;
        const depacketizer = new Vp8Depacketizer();
        const out = list.flatMap((packet, i) => {
          if (i === missing) return [];
          if (i === missing + 1) depacketizer.lost();
          return depacketizer.push(packet);
        });
        expect(out.filter((entry) => entry !== 'broken')).toEqual([]);
      }),
    );
  });

  it('reads each combination of descriptor flags, key index without temporal id included', () => {
    // X; I L T K; PictureID of one byte; TL0PICIDX; TID/KEYIDX byte
    expect(parseVp8Descriptor(Uint8Array.of(0x90, 0x80, 0x11, 1))).toMatchObject({ length: 3, pictureId: 0x11 });
    expect(parseVp8Descriptor(Uint8Array.of(0x90, 0x80, 0x81, 2, 1))).toMatchObject({ length: 4, pictureId: 0x102 });
    expect(parseVp8Descriptor(Uint8Array.of(0x90, 0x40, 9, 1))).toMatchObject({ length: 3 });
    expect(parseVp8Descriptor(Uint8Array.of(0x90, 0x10, 9, 1))).toMatchObject({ length: 3 });
    expect(parseVp8Descriptor(Uint8Array.of(0x90, 0x20, 9, 1))).toMatchObject({ length: 3 });
    expect(parseVp8Descriptor(Uint8Array.of(0x90, 0xf0, 0x80, 1, 2, 3, 1))).toMatchObject({ length: 6 });
    expect(parseVp8Descriptor(Uint8Array.of(0x10, 1))).toMatchObject({ length: 1, start: true, partition: 0 });
    expect(parseVp8Descriptor(Uint8Array.of(0x90, 0xf0, 0x80))).toBeUndefined();
    expect(parseVp8Descriptor(new Uint8Array())).toBeUndefined();
  });

  it('knows a key picture and its size', () => {
    const key = Uint8Array.of(0x10, 0, 0, 0x9d, 0x01, 0x2a, 0x80, 0x02, 0xe0, 0x41, 0);
    expect(isVp8Key(key)).toBe(true);
    expect(vp8Size(key)).toEqual({ width: 640, height: 480 });
    const [out] = feed(new Vp8Depacketizer(), packets(packetizeVp8(key, 0), 1, 0));
    expect(out).toMatchObject({ key: true, size: { width: 640, height: 480 } });
  });

  it('survives any garbage', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.uint8Array({ maxLength: 40 }), fc.boolean(), fc.nat(2))), (list) => {
        for (const depacketizer of [new Vp8Depacketizer(), new H264Depacketizer()]) {
          list.forEach(([payload, marker, timestamp], i) => {
            depacketizer.push({ payload, marker, timestamp, sequenceNumber: i });
          });
        }
      }),
    );
  });
});

describe('H.264 over RTP', () => {
  it('gives back the same NAL units through STAP-A, single packets and FU-A', () => {
    fc.assert(
      fc.property(accessUnit, (nals) => {
        const payloads = packetizeH264(joinAnnexB(nals));
        for (const payload of payloads) expect(payload.length).toBeLessThanOrEqual(1200);
        const out = feed(new H264Depacketizer(), packets(payloads, 9, 65_530));
        expect(out).toHaveLength(1);
        const picture = out[0] as CodedPicture;
        expect(splitAnnexB(picture.data)).toEqual([...nals]);
        expect(picture.key).toBe(nals.some((n) => (n[0]! & 0x1f) === 5));
      }),
    );
  });

  it('never returns a picture that lacks a packet', () => {
    fc.assert(
      fc.property(accessUnit, fc.nat(), (nals, pick) => {
        const list = packets(packetizeH264(joinAnnexB(nals), 300), 9, 0);
        const missing = pick % list.length;
        const depacketizer = new H264Depacketizer();
        const out = list.flatMap((packet, i) => {
          if (i === missing) return [];
          if (i === missing + 1) depacketizer.lost();
          return depacketizer.push(packet);
        });
        // A picture whose first packet is lost is only taken when what is left opens with a parameter set of its own.
        const whole = out.filter((entry) => entry !== 'broken') as CodedPicture[];
        for (const entry of whole) expect([7, 9]).toContain(splitAnnexB(entry.data)[0]![0]! & 0x1f);
        if (missing > 0) expect(whole).toEqual([]);
      }),
    );
  });

  it('gives up a picture whose marker never came and says so', () => {
    const depacketizer = new H264Depacketizer();
    const first = { payload: Uint8Array.of(0x61, 1, 0x80), timestamp: 1, marker: false, sequenceNumber: 0 };
    const second = { payload: Uint8Array.of(0x61, 2, 0x80), timestamp: 2, marker: true, sequenceNumber: 1 };
    expect(depacketizer.push(first)).toEqual([]);
    const [broken, picture] = depacketizer.push(second);
    expect(broken).toBe('broken');
    expect((picture as CodedPicture).timestamp).toBe(2);
  });
});

describe('ReorderBuffer', () => {
  it('restores the order of shuffled packets across the wrap-around and drops repeated ones', () => {
    fc.assert(
      fc.property(fc.nat(0xffff), fc.array(fc.nat(6), { minLength: 30, maxLength: 60 }), (start, delays) => {
        const arrivals = delays.map((delay, i) => ({ i, at: i === 0 ? -1 : i + delay })).sort((a, b) => a.at - b.at);
        const buffer = new ReorderBuffer<{ sequenceNumber: number }>({ maxWaitMs: 1000, maxHeld: 100 });
        const out: number[] = [];
        for (const { i } of arrivals) {
          const packet = { sequenceNumber: (start + i) & 0xffff };
          for (const entry of [...buffer.push(packet, i), ...buffer.push(packet, i)]) {
            expect(entry).not.toBe('gap');
            if (entry !== 'gap') out.push(entry.packet.sequenceNumber);
          }
        }
        expect(out).toEqual(delays.map((_, i) => (start + i) & 0xffff));
      }),
    );
  });

  it('tells of a packet that never came once its time has run out', () => {
    const buffer = new ReorderBuffer<{ sequenceNumber: number }>({ maxWaitMs: 80, maxHeld: 100 });
    expect(buffer.push({ sequenceNumber: 5 }, 0)).toHaveLength(1);
    expect(buffer.push({ sequenceNumber: 7 }, 10)).toEqual([]);
    expect(buffer.poll(60)).toEqual([]);
    expect(buffer.poll(90)).toEqual(['gap', { packet: { sequenceNumber: 7 } }]);
    expect(buffer.push({ sequenceNumber: 6 }, 95)).toEqual([]);
    expect(buffer.push({ sequenceNumber: 8 }, 96)).toEqual([{ packet: { sequenceNumber: 8 } }]);
  });

  it('takes a far jump for a new sender', () => {
    const buffer = new ReorderBuffer<{ sequenceNumber: number }>();
    buffer.push({ sequenceNumber: 5 }, 0);
    expect(buffer.push({ sequenceNumber: 30_000 }, 1)).toEqual(['gap', { packet: { sequenceNumber: 30_000 } }]);
  });
});

it('continues RTP timestamps across the wrap-around', () => {
  const clock = new TimestampUnwrapper();
  expect(clock.unwrap(0xffff_fff0)).toBe(0);
  expect(clock.unwrap(0x10)).toBe(0x20);
  expect(clock.unwrap(0x0)).toBe(0x10);
});

describe('a picture that never ends', () => {
  const PACKETS = 40_000;
  const part = (first: boolean, codec: string) =>
    codec === 'vp8'
      ? Uint8Array.of(first ? 0x10 : 0, ...Array(999).fill(7))
      : Uint8Array.of(0x61, ...Array(999).fill(7));

  it.each([
    ['vp8', () => new Vp8Depacketizer()],
    ['h264', () => new H264Depacketizer()],
    ['h264 in fragments', () => new H264Depacketizer()],
  ] as const)('is given up before it takes the memory, and the next one is whole: %s', (name, create) => {
    const depacketizer: Depacketizer = create();
    const fragment = (start: boolean) => Uint8Array.of(0x7c, start ? 0x81 : 0x01, ...Array(998).fill(7));
    const kept = process.memoryUsage().arrayBuffers;
    let broken = 0;
    for (let i = 0; i < PACKETS; i++) {
      const payload = name.includes('fragments') ? fragment(i === 0) : part(i === 0, name);
      broken += depacketizer.push({ payload, timestamp: 1, sequenceNumber: i & 0xffff, marker: false }).length;
      if (i === 4000) expect(broken).toBeGreaterThan(0);
    }
    global.gc?.();
    expect(process.memoryUsage().arrayBuffers - kept).toBeLessThan(30e6);
    const data = Uint8Array.of(0x61, ...Array(50).fill(9), 0x80);
    const payloads = name === 'vp8' ? packetizeVp8(data, 3) : packetizeH264(joinAnnexB([data]));
    const out = feed(depacketizer, packets(payloads, 2, PACKETS));
    expect((out.at(-1) as CodedPicture).data.length).toBeGreaterThan(50);
    expect(out.length).toBeLessThanOrEqual(2);
  });
});
