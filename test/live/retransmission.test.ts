import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { RtpPacket } from 'werift';
import { decoded } from './decoded.ts';
import { RtpPublisher } from './rtp-publisher.ts';
import { ServeProcess } from './serve-process.ts';
import { eventually, makeClip, temporaryFolder, until } from './support.ts';
import { WhepViewer } from './whep-viewer.ts';

const PATIENCE_MS = 30_000;

describe('a packet that is lost on the way', { timeout: 90_000 }, () => {
  const clip = join(temporaryFolder(), 'clip.mkv');
  const open: { close(): Promise<void> }[] = [];
  let server: ServeProcess;
  beforeAll(async () => {
    makeClip(clip, 4, '320x240', 15);
    server = await ServeProcess.start({ mode: 'mask', serve: { streams: { live: {}, camera: { source: clip } } } });
  });
  afterEach(async () => {
    await Promise.all(open.splice(0).map((peer) => peer.close()));
  });
  afterAll(async () => {
    expect(await server?.stop()).toBe(0);
  });

  for (const codec of ['vp8', 'h264'] as const) {
    it(`comes to the viewer who asks for it: ${codec}`, async () => {
      const viewer = await WhepViewer.watch(`${server.base}/camera/whep`, { codec });
      open.push(viewer);
      await until(() => viewer.video.length > 20, PATIENCE_MS, 'pictures');
      const lost: RtpPacket[] = [];
      for (let i = 0; i < 3; i++) {
        viewer.loseOne((packet) => lost.push(packet));
        const come = ({ header }: RtpPacket) =>
          viewer.video.some(({ packet }) => packet.header.sequenceNumber === header.sequenceNumber);
        await until(() => lost.length > i && come(lost[i]!), PATIENCE_MS, 'the same packet');
      }
      for (const { header, payload } of lost) {
        const again = viewer.video.find(({ packet }) => packet.header.sequenceNumber === header.sequenceNumber)!.packet;
        expect(again.header).toMatchObject({ ssrc: header.ssrc, timestamp: header.timestamp, marker: header.marker });
        expect(again.payload.equals(payload)).toBe(true);
      }
      const seen = decoded(
        viewer.video.map(({ packet }) => packet),
        codec,
      );
      expect(seen).toMatchObject({ holes: 0, frames: seen.pictures, complaints: '' });
    });
  }

  it('is asked for by the server, and costs the viewers of its publisher no picture', async () => {
    const publisher = await RtpPublisher.start({ clip, codec: 'vp8', url: `${server.base}/live/whip` });
    open.push(publisher);
    const count = (name: string) => server.metric(name, 'stream="live"');
    await eventually(async () => (await count('frames_total')) > 10, PATIENCE_MS, 'frames');
    const veiled = () => server.metric('frames_veiled_total', 'stream="live",reason="damaged"');
    const { sender } = publisher.peer.getTransceivers()[0]!;
    let keysAsked = 0;
    sender.onPictureLossIndication.subscribe(() => void keysAsked++);
    /** Loses a packet, and what is sent in its place when that is to be lost too. @returns what it cost */
    const lose = async (times: number) => {
      const before = { losses: await count('rtp_losses'), veiled: await veiled(), keysAsked };
      const way = publisher.loseOne(times);
      await until(() => way.sent > 1, PATIENCE_MS, 'the packet to be sent again');
      const pictures = await count('pictures_total');
      await eventually(async () => (await count('pictures_total')) > pictures + 10, PATIENCE_MS, 'pictures after it');
      return {
        losses: (await count('rtp_losses')) - before.losses,
        veiled: (await veiled()) - before.veiled,
        keysAsked: keysAsked - before.keysAsked,
      };
    };
    // A machine with much else to do may be too late with one.
    const spared = async () => {
      const cost = await lose(1);
      return cost.losses === 0 && cost.veiled === 0 && cost.keysAsked === 0;
    };
    await eventually(spared, PATIENCE_MS, 'a loss that costs nothing');
    // And what it costs when nothing helps.
    const cost = await lose(Number.POSITIVE_INFINITY);
    expect(cost.losses).toBe(1);
    expect(cost.keysAsked).toBeGreaterThan(0);
  });
});
