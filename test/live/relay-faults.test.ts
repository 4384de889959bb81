import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Browser, chromiumPath, type ShownFrame } from './browser.ts';
import { childrenWith } from './fault-run.ts';
import { FaceSearch, isVeiled, personClip } from './people.ts';
import { postSdp, RtpPublisher } from './rtp-publisher.ts';
import { ServeProcess, type ServeSettings } from './serve-process.ts';
import { eventually, temporaryFolder } from './support.ts';

const PATIENCE_MS = 60_000;
const RANGE = [46_200, 46_260] as const;

/** One server over HTTPS and within a range of UDP ports, for all of these. */
describe.skipIf(!chromiumPath)('the relay in trouble (needs chromium)', { timeout: 180_000 }, () => {
  const folder = temporaryFolder();
  const at = (name: string) => join(folder, name);
  const withStreams = (streams: Record<string, unknown>): ServeSettings => ({
    sessionKey: '00112233445566778899aabbccddeeff',
    serve: {
      tlsCert: at('cert.pem'),
      tlsKey: at('key.pem'),
      udpPorts: RANGE.join('-'),
      additionalHosts: ['127.0.0.1', '203.0.113.7'],
      streams,
    },
  });
  const streams = { live: {}, rtp: { publishToken: 'first' }, gone: {}, dead: {} };
  const browsers: Browser[] = [];
  let server: ServeProcess;
  let search: FaceSearch;
  let anna: Float32Array[];
  let viewer: Browser;

  beforeAll(async () => {
    const subject = ['-subj', '/CN=localhost', '-days', '2', '-keyout', at('key.pem'), '-out', at('cert.pem')];
    execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', ...subject], { stdio: 'ignore' });
    personClip('anna', at('anna.mjpeg'));
    personClip('anna', at('anna.mkv'), '480x360', 10);
    search = await FaceSearch.create();
    anna = await search.person(at('anna.mkv'));
    server = await ServeProcess.start(withStreams(streams));
    viewer = await open();
    // Given up after a while; the last test looks.
    expect((await postSdp(`${server.base}/dead/whep`, await viewerOffer(viewer))).status).toBe(201);
  });
  afterAll(async () => {
    await Promise.all(browsers.map((browser) => browser.close()));
    expect(await server?.stop()).toBe(0);
  });

  const open = async () => {
    const browser = await Browser.open(at('anna.mjpeg'), `${server.base}/demo`);
    browsers.push(browser);
    return browser;
  };
  /** So many more frames, in which the person must not be. */
  const clean = async (count: number): Promise<ShownFrame[]> => {
    const before = await viewer.shown();
    await eventually(async () => (await viewer.shown()) >= before + count, PATIENCE_MS, `${count} more frames`);
    const frames = await viewer.take();
    const seen = await search.search(frames, anna);
    expect(seen.matches, `best cosine ${seen.best}`).toBe(0);
    return frames;
  };
  /** Waits for frames that show a face (the understudy's). */
  const faceAgain = async () => {
    const shows = async () => (await search.search(await clean(8), anna)).withFace > 0;
    await eventually(shows, PATIENCE_MS, 'a face');
  };
  /** Waits for a veiled frame; what is seen until then is searched too. */
  const veiledAgain = () => eventually(async () => (await clean(1)).some(isVeiled), PATIENCE_MS, 'a veiled frame');

  it('relays H.264 in both directions over HTTPS', async () => {
    const publisher = await open();
    await viewer.watch('live', undefined, 'H264');
    await publisher.publish('live', { width: 640, height: 480, codec: 'H264' });
    const seen = await search.search(await clean(20), anna);
    expect(seen.withFace).toBeGreaterThan(5);
    const [[published], [, watched]] = [await publisher.answers(), await viewer.answers()];
    for (const answer of [published!, watched!]) {
      expect(answer).toMatch(/a=fmtp:\d+ .*packetization-mode=1/);
      expect(answer.match(/profile-level-id=\w+/g)).toEqual(['profile-level-id=42e01f']);
      expect(answer).not.toContain('VP8');
    }
  });

  it('offers the additional addresses, and only ports of the range', async () => {
    const [, answer] = await viewer.answers();
    const candidates = [...answer!.matchAll(/^a=candidate:\S+ 1 udp \d+ (\S+) (\d+) typ host/gim)];
    expect(candidates.map((c) => c[1])).toEqual(expect.arrayContaining(['127.0.0.1', '203.0.113.7']));
    const ports = candidates.map((c) => Number(c[2]));
    expect(udpPortsOf(server.child.pid!)).toEqual(expect.arrayContaining(ports));
    for (const port of udpPortsOf(server.child.pid!)) {
      expect(port).toBeGreaterThanOrEqual(RANGE[0]);
      expect(port).toBeLessThanOrEqual(RANGE[1]);
    }
  });

  it('goes on when the encoder is killed', async () => {
    const before = await server.metric('encoder_restarts', 'stream="live"');
    // A change of the bit rate's rung ends an encoder too, on purpose: one that is killed at that moment is not missed, and another one is killed.
    const another = async () => {
      for (const encoder of childrenWith('libx264', server.child.pid)) process.kill(encoder, 'SIGKILL');
      await new Promise((resolve) => setTimeout(resolve, 1000));
      return (await server.metric('encoder_restarts', 'stream="live"')) > before;
    };
    await eventually(another, PATIENCE_MS, 'another encoder');
    await faceAgain();
  });

  it('veils when the decoder of its publisher is killed, and goes on with another', async () => {
    const before = childrenWith('showinfo', server.child.pid);
    expect(before.length).toBeGreaterThan(0);
    for (const decoder of before) process.kill(decoder, 'SIGKILL');
    const another = async () => {
      await clean(1);
      const now = childrenWith('showinfo', server.child.pid);
      return now.length > 0 && !now.some((decoder) => before.includes(decoder));
    };
    await eventually(another, PATIENCE_MS, 'another decoder');
    await faceAgain();
  });

  it('takes changed streams over on SIGHUP without touching those that run, and nothing from broken settings', async () => {
    const reloads = () => server.log.split('settings read again').length;
    const post = async (path: string, token?: string) =>
      (await postSdp(`${server.base}/${path}`, 'no SDP', token)).status;
    // 400: past the door, the SDP is looked at.
    expect(await post('gone/whip')).toBe(400);
    expect(await post('new/whip')).toBe(404);
    expect(await post('rtp/whip', 'first')).toBe(400);
    const { gone: _, ...rest } = streams;
    server.rewrite(withStreams({ ...rest, rtp: { publishToken: 'second' }, new: {} }));
    const before = reloads();
    server.child.kill('SIGHUP');
    await eventually(async () => reloads() > before, PATIENCE_MS, 'the settings to be read');
    expect(await post('gone/whip')).toBe(404);
    expect(await post('new/whip')).toBe(400);
    expect(await post('rtp/whip', 'first')).toBe(401);
    expect(await post('rtp/whip', 'second')).toBe(400);

    for (const broken of ['serve: [', 'serve: { streams: { new: { publishTokn: x } } }']) {
      const { length } = server.log;
      writeFileSync(server.config, broken);
      server.child.kill('SIGHUP');
      const refused = () =>
        /the settings were not taken over: .*(is not YAML|publishTokn)/.test(server.log.slice(length));
      await eventually(async () => refused(), PATIENCE_MS, 'the settings to be refused');
      expect((await fetch(`${server.api}/v1/reload`, { method: 'POST' })).status).toBe(400);
    }
    expect(await post('new/whip')).toBe(400);
    expect(await post('rtp/whip', 'first')).toBe(401);
    expect(server.log).not.toMatch(/"first"|"second"/);
    // The call that runs meanwhile has not been interrupted.
    await faceAgain();
    expect(server.log).not.toMatch(/"stream":"live","kind":"wh(ip|ep)","reason"/);
  });

  it('takes a changed settings file over by itself', async () => {
    const { gone: _, ...rest } = streams;
    server.rewrite(withStreams({ ...rest, rtp: { publishToken: 'second' }, later: {} }));
    const known = async () => (await postSdp(`${server.base}/later/whip`, 'no SDP')).status === 400;
    await eventually(known, PATIENCE_MS, 'the new stream');
    await faceAgain();
    expect(server.log).not.toMatch(/"stream":"live","kind":"wh(ip|ep)","reason"/);
  });

  describe('with a publisher whose packets are spoilt', () => {
    let publisher: RtpPublisher;
    beforeAll(async () => {
      await Promise.all(browsers.filter((browser) => browser !== viewer).map((browser) => browser.stopPublishing()));
      const url = `${server.base}/rtp/whip`;
      publisher = await RtpPublisher.start({ clip: at('anna.mkv'), codec: 'vp8', url, token: 'second' });
      await viewer.watch('rtp');
      await faceAgain();
    });
    afterAll(() => publisher?.close());

    it('goes on when garbage comes to its UDP ports', async () => {
      const ports = [...publisher.answer.matchAll(/^a=candidate:\S+ 1 udp \d+ \S+ (\d+) /gim)].map((c) => Number(c[1]));
      const socket = createSocket('udp4');
      for (let i = 0; i < 2000; i++) {
        for (const port of ports) socket.send(garbage(i), port, '127.0.0.1');
        if (i % 50 === 0) await new Promise((resolve) => setTimeout(resolve, 20));
      }
      await faceAgain();
      socket.close();
    });

    it('goes on when spoilt copies of its real packets come from the publisher’s own port', async () => {
      const wire = publisher.spoilTheWire(spoilt);
      await clean(30);
      expect(wire.sent).toBeGreaterThan(100);
      wire.stop();
      await faceAgain();
    });

    it('veils or goes on when the packets that arrive well hold garbage', async () => {
      publisher.replace = (packet) => [packet, spoiltPayload(packet)];
      await clean(10);
      // Chance may leave every header whole: each tenth picture's beginning (S of RFC 7741) is lost for certain.
      let pictures = 0;
      publisher.replace = (packet) => {
        const begins = (packet[12]! & 0x10) !== 0;
        if (begins && pictures++ % 10 === 0) return [withoutStart(packet)];
        return [Math.random() < 0.3 ? spoiltPayload(packet) : packet];
      };
      await new Promise((resolve) => setTimeout(resolve, 4000));
      publisher.replace = undefined;
      await clean(5);
      await faceAgain();
      expect(await server.metric('rtp_losses', 'stream="rtp"')).toBeGreaterThan(0);
    });

    it('veils while the publisher’s source stands still for ten seconds, and goes on', async () => {
      publisher.source.kill('SIGSTOP');
      await veiledAgain();
      await new Promise((resolve) => setTimeout(resolve, 9000));
      await clean(0);
      const silent = await clean(3);
      expect(silent.every(isVeiled)).toBe(true);
      publisher.source.kill('SIGCONT');
      await faceAgain();
    });
  });

  it('frees the stream again when ICE finds no way, and says so', async () => {
    await eventually(async () => server.log.includes('ICE did not connect'), PATIENCE_MS, 'the session to be given up');
    expect(await server.metric('viewers', 'stream="dead"')).toBe(0);
  });
});

/** An offer that nobody stands behind. */
function viewerOffer(browser: Browser): Promise<string> {
  return browser.page.evaluate(async () => {
    const peer = new RTCPeerConnection();
    peer.addTransceiver('video', { direction: 'recvonly' });
    return (await peer.createOffer()).sdp!;
  });
}

/** UDP ports that a process has open. Linux only. */
function udpPortsOf(pid: number): number[] {
  const own = new Set<string>();
  for (const fd of readdirSync(`/proc/${pid}/fd`)) {
    try {
      own.add(/socket:\[(\d+)\]/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1] ?? '');
    } catch {
      // Closed since.
    }
  }
  const lines = ['udp', 'udp6'].flatMap((name) =>
    readFileSync(`/proc/${pid}/net/${name}`, 'utf8').split('\n').slice(1),
  );
  return lines
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => own.has(fields[9] ?? '-'))
    .map((fields) => Number.parseInt(fields[1]!.split(':')[1]!, 16));
}

/** Nonsense that begins like STUN, DTLS, RTP, RTCP or nothing at all. */
function garbage(turn: number): Buffer {
  const bytes = randomBytes(1 + Math.floor(Math.random() * 1400));
  const heads = [
    [],
    [0x00, 0x01],
    [0x16, 0xfe, 0xfd],
    [0x80, 0x60],
    [0x80, 0xc8],
    [0x17, 0xfe, 0xfd],
    [0x15, 0xfe, 0xfd],
  ];
  bytes.set(heads[turn % heads.length]!.slice(0, bytes.length));
  if (turn % 7 === 1 && bytes.length > 8) bytes.writeUInt32BE(0x2112a442, 4);
  return bytes;
}

/** A copy with some bytes changed, or cut off. */
function spoilt(packet: Buffer): Buffer {
  const copy = Buffer.from(packet);
  if (Math.random() < 0.3) return copy.subarray(0, Math.floor(Math.random() * copy.length));
  for (let i = 0; i < 4; i++) copy[Math.floor(Math.random() * copy.length)] = Math.floor(Math.random() * 256);
  return copy;
}

/** A copy of a packet of VP8 that does not say that a picture begins with it. */
function withoutStart(packet: Buffer): Buffer {
  const copy = Buffer.from(packet);
  copy[12]! &= ~0x10;
  return copy;
}

/** As `spoilt`, the RTP header left alone. */
function spoiltPayload(packet: Buffer): Buffer {
  return Buffer.concat([packet.subarray(0, 12), spoilt(packet.subarray(12))]);
}
