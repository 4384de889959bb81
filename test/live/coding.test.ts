import { afterEach, describe, expect, it } from 'vitest';
import { findFfmpeg } from '../../src/core/ffmpeg.ts';
import { packetizeH264 } from '../../src/core/rtp-h264.ts';
import { packetizeVp8 } from '../../src/core/rtp-vp8.ts';
import type { PictureFormat } from '../../src/core/video-frame.ts';
import { CodedEncoder, type EncodedPicture } from '../../src/egress/webrtc/coded-encoder.ts';
import { WebRtcSource } from '../../src/ingest/webrtc/webrtc-source.ts';
import { poolFor, sealFlat, until } from './support.ts';

const FORMAT: PictureFormat = { width: 320, height: 240, colour: { matrix: 'bt601', range: 'limited' } };
const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((thing) => thing.close()));
});

async function encode(
  codec: 'vp8' | 'h264',
  count: number,
  format = FORMAT,
  keyAt: number[] = [],
  startUs = 0,
): Promise<EncodedPicture[]> {
  const pictures: EncodedPicture[] = [];
  const tool = await findFfmpeg();
  const encoder = new CodedEncoder(tool, codec, format, 1000, { onPicture: (p) => pictures.push(p), onEnd: () => {} });
  open.push(encoder);
  const pool = poolFor(format);
  for (let i = 0; i < count; i++) {
    if (keyAt.includes(i)) encoder.requestKey();
    const frame = sealFlat({ sequence: i, timestampUs: startUs + i * 33_333, format }, pool, 60 + 4 * (i % 30))!;
    await encoder.encode(frame);
    frame.close();
    await new Promise((resolve) => setTimeout(resolve, 33));
  }
  await until(() => pictures.length >= count, 5000, `${count} pictures (${pictures.length})`);
  return pictures;
}

for (const codec of ['vp8', 'h264'] as const) {
  describe(`${codec} through the encoder and the decoder`, { timeout: 30_000 }, () => {
    const packetize = (picture: EncodedPicture, id: number) =>
      codec === 'vp8' ? packetizeVp8(picture.data, id) : packetizeH264(picture.data);

    it('makes key pictures on demand only and loses none', async () => {
      const pictures = await encode(codec, 60, FORMAT, [40]);
      expect(pictures.flatMap((p, i) => (p.key ? [i] : []))).toEqual([0, 40]);
      for (let i = 1; i < pictures.length; i++) {
        expect(Math.abs(pictures[i]!.ticks - pictures[i - 1]!.ticks - 3000)).toBeLessThanOrEqual(4);
      }
    });

    it('decodes what it is sent, waits for a key picture after a loss, and survives a change of size', async () => {
      const pictures = await encode(codec, 40, FORMAT, [25]);
      const small = { ...FORMAT, width: 160, height: 120 };
      const later = await encode(codec, 20, small, [], 2_000_000);
      let asked = 0;
      const source = await WebRtcSource.create({ codec, inFlight: 4, requestKey: () => asked++ });
      open.push(source);
      let sequence = 65_500;
      const send = (picture: EncodedPicture, i: number, lose = false) => {
        const payloads = packetize(picture, i);
        payloads.forEach((payload, k) => {
          sequence = (sequence + 1) & 0xffff;
          if (lose && k === 0) return;
          const marker = k === payloads.length - 1;
          source.push({ payload, marker, sequenceNumber: sequence, timestamp: picture.ticks >>> 0 });
        });
      };
      const seen: { damaged: boolean; luma: number; atMs: number }[] = [];
      send(pictures[0]!, 0);
      await source.opened;
      expect(source.info.format).toMatchObject({ width: 320, height: 240 });
      source.frames.subscribe((frame) => {
        const planes = new Uint8Array(frame.slot.memory);
        seen.push({ damaged: frame.damaged, luma: planes[240 * 100 + 160]!, atMs: performance.now() });
        frame.close();
      });
      for (let i = 1; i < 15; i++) {
        send(pictures[i]!, i);
        await new Promise((resolve) => setTimeout(resolve, 33));
      }
      await until(() => seen.filter((s) => !s.damaged).length >= 12, 3000, `pictures (${seen.length})`);
      const before = seen.length;
      asked = 0;
      for (let i = 15; i < 25; i++) {
        send(pictures[i]!, i, i === 15);
        await new Promise((resolve) => setTimeout(resolve, 33));
      }
      // Between the loss and the key picture nothing new is shown.
      expect(seen.slice(before).filter((s) => !s.damaged).length).toBeLessThanOrEqual(2);
      expect(asked).toBeGreaterThan(0);
      expect(source.losses).toBe(1);
      for (let i = 25; i < 40; i++) {
        send(pictures[i]!, i);
        await new Promise((resolve) => setTimeout(resolve, 33));
      }
      await until(() => seen.slice(before).filter((s) => !s.damaged).length >= 12, 3000, 'pictures again');
      const atChange = seen.length;
      for (const [i, picture] of later.entries()) {
        send(picture, 40 + i);
        await new Promise((resolve) => setTimeout(resolve, 33));
      }
      await until(() => seen.length - atChange >= 15, 3000, 'pictures of the new size');
      expect(source.info.format).toMatchObject({ width: 320, height: 240 });
    });

    if (codec === 'h264')
      it('asks for a key picture until one comes when the decoder has found damage', async () => {
        const pictures = await encode(codec, 8);
        let asked = 0;
        const source = await WebRtcSource.create({ codec, inFlight: 4, requestKey: () => asked++ });
        open.push(source);
        let sequence = 0;
        for (const [i, picture] of pictures.entries()) {
          // Past its header the fourth picture is garbage; no packet is missing.
          const data = i === 3 ? Uint8Array.from(picture.data, (b, k) => (k < 6 ? b : 0xa5)) : picture.data;
          packetizeH264(data).forEach((payload, k, all) => {
            const marker = k === all.length - 1;
            source.push({ payload, marker, sequenceNumber: sequence++, timestamp: picture.ticks >>> 0 });
          });
          await new Promise((resolve) => setTimeout(resolve, 33));
        }
        await until(() => source.decodeErrors > 0, 5000, 'a complaint of the decoder');
        await until(() => asked >= 3, 5000, `requests (${asked})`);
        expect(source.losses).toBe(0);
      });

    it('asks for a key picture and sends veiled frames when garbage or nothing arrives', async () => {
      const [key] = await encode(codec, 1);
      let asked = 0;
      const source = await WebRtcSource.create({ codec, inFlight: 4, requestKey: () => asked++ });
      open.push(source);
      packetize(key!, 1).forEach((payload, k, all) => {
        source.push({ payload, marker: k === all.length - 1, sequenceNumber: k, timestamp: 0 });
      });
      await source.opened;
      const seen: { damaged: boolean; luma: number }[] = [];
      source.frames.subscribe((frame) => {
        seen.push({ damaged: frame.damaged, luma: new Uint8Array(frame.slot.memory)[0]! });
        frame.close();
      });
      for (let i = 0; i < 300; i++) {
        const payload = Uint8Array.from({ length: 1 + (i % 90) }, (_, k) => (i * 31 + k * 17) & 255);
        source.push({ payload, marker: i % 3 === 0, sequenceNumber: 100 + i, timestamp: 3000 * (i >> 1) });
      }
      await until(() => seen.filter((s) => s.damaged && s.luma === 128).length >= 2, 5000, 'veiled frames');
      expect(asked).toBeGreaterThan(0);
    });
  });
}
