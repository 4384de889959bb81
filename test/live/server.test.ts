import { request } from 'node:http';
import { connect } from 'node:net';
import { Registry } from 'prom-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MediaStreamTrack, RTCPeerConnection, useVP8 } from 'werift';
import { ExitCode } from '../../src/core/errors.ts';
import { findFfmpeg } from '../../src/core/ffmpeg.ts';
import { LiveStream } from '../../src/server/live-stream.ts';
import { type LiveServer, startServer } from '../../src/server/server.ts';
import { PipelineMetrics } from '../../src/server/stream-stats.ts';
import { freePort } from './support.ts';

const SDP = { 'Content-Type': 'application/sdp' };

async function offer(direction: 'sendonly' | 'recvonly'): Promise<{ peer: RTCPeerConnection; sdp: string }> {
  const peer = new RTCPeerConnection({ codecs: { video: [useVP8()], audio: [] } });
  if (direction === 'sendonly') peer.addTransceiver(new MediaStreamTrack({ kind: 'video' }), { direction });
  else peer.addTransceiver('video', { direction });
  await peer.setLocalDescription(await peer.createOffer());
  return { peer, sdp: peer.localDescription!.sdp };
}

describe('WHIP and WHEP over HTTP', { timeout: 30_000 }, () => {
  let server: LiveServer;
  let base = '';
  let reloads = 0;
  const told: string[] = [];
  const peers: RTCPeerConnection[] = [];

  beforeAll(async () => {
    server = await startServer(
      {
        http: { host: '127.0.0.1', port: 0 },
        metrics: { host: '127.0.0.1', port: 0 },
        api: { host: '127.0.0.1', port: 0 },
        onReload: () => {
          if (++reloads > 1) throw new Error('a fault');
        },
        streams: { open: {}, locked: { publishToken: 'secret-in', viewToken: 'secret-out' } },
        iceServers: [{ urls: 'stun:stun.example.org' }],
        additionalHosts: ['127.0.0.1'],
        rungsKbps: [400, 1000],
        minKbps: 100,
        inFlight: 4,
        passAudio: true,
        log: (event) => void told.push(event),
      },
      () => Promise.resolve(),
    );
    base = `http://127.0.0.1:${server.port}`;
  });
  afterAll(async () => {
    await Promise.all(peers.map((peer) => peer.close()));
    await server.close();
  });

  const post = async (path: string, direction: 'sendonly' | 'recvonly', headers: Record<string, string> = {}) => {
    const { peer, sdp } = await offer(direction);
    peers.push(peer);
    return fetch(base + path, { method: 'POST', headers: { ...SDP, ...headers }, body: sdp });
  };

  it('answers an offer with 201, Location, ETag and the ICE servers, and ends the session by DELETE', async () => {
    const response = await post('/open/whip', 'sendonly');
    expect(response.status).toBe(201);
    expect(response.headers.get('content-type')).toBe('application/sdp');
    expect(response.headers.get('link')).toBe('<stun:stun.example.org>; rel="ice-server"');
    expect(response.headers.get('access-control-expose-headers')).toContain('Location');
    const answer = await response.text();
    expect(answer).toContain('a=recvonly');
    expect(answer).not.toContain('video-orientation');
    const location = response.headers.get('location')!;
    expect(location).toMatch(/^\/open\/whip\/[0-9a-f]{24}$/);
    expect(response.headers.get('etag')).toMatch(/^"[0-9a-f]{16}"$/);

    const second = await post('/open/whip', 'sendonly');
    expect(second.status).toBe(409);
    expect(second.headers.get('content-type')).toBe('application/problem+json');
    expect(await second.json()).toMatchObject({ status: 409, title: 'Conflict' });

    expect((await fetch(base + location, { method: 'DELETE' })).status).toBe(200);
    expect((await fetch(base + location, { method: 'DELETE' })).status).toBe(404);
    const again = await post('/open/whip', 'sendonly');
    expect(again.status).toBe(201);
    await fetch(base + again.headers.get('location')!, { method: 'DELETE' });
  });

  it('lets a viewer in before there is a publisher', async () => {
    const response = await post('/open/whep', 'recvonly');
    expect(response.status).toBe(201);
    expect(await response.text()).toContain('a=sendonly');
  });

  it('asks for the token of each direction', async () => {
    expect((await post('/locked/whip', 'sendonly')).status).toBe(401);
    expect((await post('/locked/whip', 'sendonly', { Authorization: 'Bearer secret-out' })).status).toBe(401);
    const refused = await post('/locked/whep', 'recvonly', { Authorization: 'Bearer secret-in' });
    expect(refused.status).toBe(401);
    expect(refused.headers.get('www-authenticate')).toBe('Bearer');
    expect(await refused.text()).not.toContain('secret');
    expect((await post('/locked/whep', 'recvonly', { Authorization: 'Bearer secret-out' })).status).toBe(201);
  });

  it('says what is wrong with a request', async () => {
    const send = (path: string, body: string, type = 'application/sdp') =>
      fetch(base + path, { method: 'POST', headers: { 'Content-Type': type }, body });
    const problem = async (response: Response, status: number, said: RegExp) => {
      expect(response.status).toBe(status);
      expect(response.headers.get('content-type')).toBe('application/problem+json');
      const body = (await response.json()) as { status: number; title: string; detail: string };
      expect(body).toMatchObject({ status, title: expect.stringMatching(/^[A-Z][a-z ]+$/) });
      expect(body.detail).toMatch(said);
      expect(body.detail.split('\n')).toHaveLength(1);
    };
    await problem(await send('/nowhere/whip', 'v=0'), 404, /there is no stream nowhere; /);
    await problem(await send('/open/whip', 'v=0'), 400, /not an SDP offer/);
    await problem(await send('/open/whip', '{}', 'application/json'), 415, /not application\/sdp/);
    await problem(await send('/locked/whip', 'v=0'), 401, /the bearer token is missing or wrong; /);
    await problem(await send('/open/whip/none', 'v=0'), 405, /use OPTIONS, PATCH, DELETE$/);
    const get = await fetch(`${base}/open/whep`);
    expect(get.headers.get('allow')).toBe('OPTIONS, POST');
    await problem(get, 405, /GET is not a method/);
    await problem(await fetch(`${base}/open/whep/none`, { method: 'DELETE' }), 404, /has ended/);
    await problem(await fetch(`${base}/favicon.ico`), 404, /nothing at this address/);
    const { peer, sdp } = await offer('sendonly');
    peers.push(peer);
    const unknown = await send('/open/whip', sdp.replace(/VP8/g, 'H265'));
    expect(unknown.status).toBe(400);
    expect(((await unknown.json()) as { detail: string }).detail).toContain('neither VP8 nor H.264');
    const broken = await send('/open/whip', sdp.replace(/a=fingerprint:.*\r\n/g, 'a=fingerprint:garbage\r\n'));
    expect(broken.status).toBe(400);
    expect(server.streams.get('open')?.publishing).toBe(false);
  });

  it('does not read on when a body that says nothing of its length goes on for ever', async () => {
    for (const [path, type, status] of [
      ['/open/whip', 'application/sdp', 400],
      ['/open/whip', 'text/plain', 415],
      ['/locked/whip', 'application/sdp', 401],
      ['/open/whip/none', 'application/sdp', 405],
    ] as const) {
      const answer = await new Promise<{ status: number | undefined; body: string }>((resolve, reject) => {
        const asked = request(base + path, { method: 'POST', headers: { 'Content-Type': type } }, (response) => {
          let body = '';
          response.setEncoding('utf8').on('data', (text: string) => {
            body += text;
          });
          response.on('end', () => {
            clearInterval(timer);
            asked.destroy();
            resolve({ status: response.statusCode, body });
          });
        });
        // The server may hang up on who does not stop: what it said before counts.
        asked.on('error', (error) => setTimeout(() => reject(error), 1000));
        const timer = setInterval(() => {
          if (!asked.writableNeedDrain) asked.write(Buffer.alloc(65_536, 'v'));
        }, 5);
      });
      expect(answer.status, path).toBe(status);
      if (status === 400) expect(answer.body).toContain('the body is too long');
    }
    expect(server.streams.get('open')?.publishing).toBe(false);
  });

  it('takes nobody who hangs up in the middle of his offer for a fault of its own', async () => {
    const socket = connect(server.port, '127.0.0.1');
    const head =
      'POST /open/whip HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/sdp\r\nContent-Length: 999\r\n\r\n';
    await new Promise((resolve) => socket.write(`${head}v=0`, resolve));
    await new Promise((resolve) => setTimeout(resolve, 100));
    socket.destroy();
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(told).not.toContain('fault');
    expect(server.streams.get('open')?.publishing).toBe(false);
  });

  it('has a control API for programs of this machine, not for the pages that its browsers show', async () => {
    const api = `http://127.0.0.1:${server.apiPort}`;
    const ask = (path: string, method: string, headers: Record<string, string>) =>
      new Promise<number | undefined>((resolve, reject) => {
        request(api + path, { method, headers }, (response) => {
          response.resume();
          resolve(response.statusCode);
        })
          .on('error', reject)
          .end();
      });
    expect(await ask('/v1/reload', 'POST', { Origin: 'https://a.page.example' })).toBe(403);
    expect(await ask('/v1/streams', 'GET', { Host: `a.page.example:${server.apiPort}` })).toBe(403);
    expect(reloads).toBe(0);
    for (const host of ['127.0.0.1', 'localhost'])
      expect(await ask('/v1/streams', 'GET', { Host: `${host}:${server.apiPort}` })).toBe(200);
    expect(await ask('/v1/reload', 'POST', {})).toBe(204);
    expect(reloads).toBe(1);
    expect(told).not.toContain('fault');
    expect(await ask('/v1/reload', 'POST', {})).toBe(500);
    expect(told).toContain('fault');
  });

  it('lets nobody into a stream that has been taken out of the settings meanwhile', async () => {
    const options = {
      ...{ http: { host: '127.0.0.1', port: 0 }, iceServers: [], additionalHosts: ['127.0.0.1'], rungsKbps: [400] },
      ...{ minKbps: 1, inFlight: 1, passAudio: true, log: () => {} },
    };
    const short = await startServer({ ...options, streams: { gone: {} } }, () => Promise.resolve());
    const stream = short.streams.get('gone')!;
    const [{ peer: one, sdp: sent }, { peer: two, sdp: watched }] = [await offer('sendonly'), await offer('recvonly')];
    peers.push(one, two);
    const entering = Promise.allSettled([stream.publish(sent), stream.view(watched)]);
    short.update({});
    const ends = await entering;
    expect(ends.map((end) => end.status === 'rejected' && (end.reason as { status: number }).status)).toEqual([
      404, 404,
    ]);
    expect([stream.sessions.size, stream.hub.viewers, stream.publishing]).toEqual([0, 0, false]);
    await short.close();
  });

  it('answers a browser’s preflight', async () => {
    const response = await fetch(`${base}/open/whip`, { method: 'OPTIONS' });
    expect(response.status).toBe(204);
    expect(response.headers.get('access-control-allow-origin')).toBe('*');
    expect(response.headers.get('accept-post')).toBe('application/sdp');
    expect(response.headers.get('link')).toContain('ice-server');
    // Their passwords are for those who may come in.
    const linksOf = async (path: string, token?: string) => {
      const headers = token ? { Authorization: `Bearer ${token}` } : undefined;
      const answer = await fetch(base + path, { method: 'OPTIONS', ...(headers && { headers }) });
      expect(answer.status).toBe(204);
      return answer.headers.get('link');
    };
    for (const [path, token] of [['/locked/whip'], ['/locked/whip', 'secret-out'], ['/unknown/whip']] as const)
      expect(await linksOf(path, token), `${path} ${token}`).toBeNull();
    expect(await linksOf('/locked/whip', 'secret-in')).toContain('ice-server');
  });

  it('serves health, metrics and the demonstration page', async () => {
    const side = `http://127.0.0.1:${server.metricsPort}`;
    expect((await fetch(`${side}/healthz`)).status).toBe(200);
    expect((await fetch(`${side}/readyz`)).status).toBe(200);
    const metrics = await (await fetch(`${side}/metrics`)).text();
    expect(metrics).toContain('understudy_viewers{stream="open"}');
    expect((await fetch(`${base}/metrics`)).status).toBe(404);
    for (const direction of ['in', 'out'])
      expect(metrics).toContain(`understudy_fps{stream="open",direction="${direction}"}`);
    for (const reason of ['overtaken', 'rate', 'decoder', 'encoder', 'deadline'])
      expect(metrics).toContain(`understudy_drops_total{stream="open",reason="${reason}"} 0`);
    const kinds = {
      histogram: ['stage_ms', 'added_latency_ms', 'glass_to_glass_ms', 'batch_size'],
      counter: ['pictures_total', 'frames_total', 'faces_total', 'frames_veiled_total', 'output_frames_dropped_total'],
      gauge: ['process_resident_memory_bytes', 'rtp_losses', 'audio_delay_ms'],
    };
    for (const [kind, names] of Object.entries(kinds))
      for (const name of names) expect(metrics).toContain(`# TYPE understudy_${name} ${kind}`);
    expect(await (await fetch(`${base}/demo`)).text()).toContain('["open","locked"]');
  });

  it('answers 503 when no UDP port of the range is left, and serves again when a session has ended', async () => {
    // One session takes a port for each address: from a range that holds one and a bit, the second gets too few.
    const needed = (await (await post('/open/whep', 'recvonly')).text()).match(/^a=candidate:/gm)!.length;
    const portRange = [47_300, 47_300 + needed] as const;
    const options = {
      http: { host: '127.0.0.1', port: 0 },
      streams: { open: {} },
      iceServers: [],
      additionalHosts: ['127.0.0.1', '203.0.113.7'],
      portRange,
      rungsKbps: [400],
      minKbps: 1,
      inFlight: 1,
      passAudio: true,
      log: () => {},
    };
    const narrow = await startServer(options, () => Promise.resolve());
    const watch = async () => {
      const { peer, sdp } = await offer('recvonly');
      peers.push(peer);
      return fetch(`http://127.0.0.1:${narrow.port}/open/whep`, { method: 'POST', headers: SDP, body: sdp });
    };
    try {
      // At the same time: neither may take the other's port.
      const both = await Promise.all([watch(), watch()]);
      const [made, refused] = both.sort((a, b) => a.status - b.status);
      expect([made!.status, refused!.status]).toEqual([201, 503]);
      const candidates = [...(await made!.text()).matchAll(/^a=candidate:\S+ 1 udp \d+ (\S+) (\d+) /gm)];
      expect(candidates.map((c) => c[1])).toEqual(expect.arrayContaining(options.additionalHosts));
      for (const [, , port] of candidates) {
        expect(Number(port)).toBeGreaterThanOrEqual(portRange[0]);
        expect(Number(port)).toBeLessThanOrEqual(portRange[1]);
      }
      const { detail } = (await refused!.json()) as { detail: string };
      expect(detail).toContain(`no UDP port from ${portRange[0]} to ${portRange[1]} is free`);
      await fetch(`http://127.0.0.1:${narrow.port}${made!.headers.get('location')}`, { method: 'DELETE' });
      expect((await watch()).status).toBe(201);
    } finally {
      await narrow.close();
    }
  });

  it('takes the codec that there is an encoder for, and says when there is none', async () => {
    const { peer, sdp } = await offer('recvonly');
    peers.push(peer);
    const { encoders, ...tool } = await findFfmpeg();
    const without = (...names: string[]) => {
      const left = new Set([...encoders].filter((name) => !names.includes(name)));
      const peerOptions = { iceServers: [], additionalHosts: ['127.0.0.1'] };
      const stats = new PipelineMetrics(new Registry()).for('x');
      const options = { peer: peerOptions, rungsKbps: [400], minKbps: 1, inFlight: 1, passAudio: true, stats };
      return new LiveStream('x', 1, { ...tool, encoders: left }, () => Promise.resolve(), {
        ...options,
        log: () => {},
      });
    };
    await expect(without('libvpx').view(sdp)).rejects.toThrow(
      'the offer has no H.264 with packetization-mode 1, the only codec this server has an encoder for',
    );
    await expect(without('libvpx', 'libx264').view(sdp)).rejects.toMatchObject({
      message: expect.stringMatching(/^ffmpeg \S+ has neither libvpx nor libx264$/),
      exitCode: ExitCode.tool,
    });
    const both = sdp
      .replace(/^(m=video \S+ \S+ )(\d+)(.*)$/m, '$1$2 102$3')
      .replace(
        /^(a=rtpmap:\d+ VP8\/90000\r\n)/m,
        '$1a=rtpmap:102 H264/90000\r\na=fmtp:102 packetization-mode=1;profile-level-id=42e01f\r\n',
      );
    const stream = without('libvpx');
    expect((await stream.view(both)).answer).toContain('H264/90000');
    await stream.close();
  });

  it('says that a port is in use', async () => {
    const port = await freePort();
    const options = {
      streams: {},
      iceServers: [],
      additionalHosts: [],
      rungsKbps: [400],
      minKbps: 1,
      inFlight: 1,
      passAudio: true,
    };
    const start = () =>
      startServer({ ...options, http: { host: '127.0.0.1', port }, log: () => {} }, () => Promise.resolve());
    const first = await start();
    await expect(start()).rejects.toThrow(`port ${port} is in use`);
    await first.close();
  });
});
