import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MediaStreamTrack, RTCPeerConnection, useVP8 } from 'werift';
import { type LiveServer, startServer } from '../../src/server/server.ts';
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
  const peers: RTCPeerConnection[] = [];

  beforeAll(async () => {
    server = await startServer(
      {
        http: { host: '127.0.0.1', port: 0 },
        metrics: { host: '127.0.0.1', port: 0 },
        streams: { open: {}, locked: { publishToken: 'secret-in', viewToken: 'secret-out' } },
        iceServers: [{ urls: 'stun:stun.example.org' }],
        additionalHosts: ['127.0.0.1'],
        rungsKbps: [400, 1000],
        minKbps: 100,
        inFlight: 4,
        passAudio: true,
        log: () => {},
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
    const etag = response.headers.get('etag')!;

    const second = await post('/open/whip', 'sendonly');
    expect(second.status).toBe(409);
    expect(second.headers.get('content-type')).toBe('application/problem+json');
    expect(await second.json()).toMatchObject({ status: 409, title: 'Conflict' });

    const fragment = { 'Content-Type': 'application/trickle-ice-sdpfrag' };
    const body = 'a=ice-ufrag:abcd\r\na=mid:0\r\na=candidate:1 1 udp 2130706431 127.0.0.1 40000 typ host\r\n';
    const patch = (headers: Record<string, string>) => fetch(base + location, { method: 'PATCH', headers, body });
    expect((await patch({ ...fragment, 'If-Match': etag })).status).toBe(204);
    expect((await patch({ ...fragment, 'If-Match': '"other"' })).status).toBe(412);
    expect((await patch(SDP)).status).toBe(415);

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
    expect((await send('/nowhere/whip', 'v=0')).status).toBe(404);
    expect((await send('/open/whip', 'v=0')).status).toBe(400);
    expect((await send('/open/whip', '{}', 'application/json')).status).toBe(415);
    const { peer, sdp } = await offer('sendonly');
    peers.push(peer);
    const unknown = await send('/open/whip', sdp.replace(/VP8/g, 'H265'));
    expect(unknown.status).toBe(400);
    expect(((await unknown.json()) as { detail: string }).detail).toContain('neither VP8 nor H.264');
    const broken = await send('/open/whip', sdp.replace(/a=fingerprint:.*\r\n/g, 'a=fingerprint:garbage\r\n'));
    expect(broken.status).toBe(400);
    expect(server.streams.get('open')?.publishing).toBe(false);
  });

  it('answers a browser’s preflight', async () => {
    const response = await fetch(`${base}/open/whip`, { method: 'OPTIONS' });
    expect(response.status).toBe(204);
    expect(response.headers.get('access-control-allow-origin')).toBe('*');
    expect(response.headers.get('accept-post')).toBe('application/sdp');
  });

  it('serves health, metrics and the demonstration page', async () => {
    const side = `http://127.0.0.1:${server.metricsPort}`;
    expect((await fetch(`${side}/healthz`)).status).toBe(200);
    expect((await fetch(`${side}/readyz`)).status).toBe(200);
    const metrics = await (await fetch(`${side}/metrics`)).text();
    expect(metrics).toContain('understudy_viewers{stream="open"}');
    expect(metrics).toContain('understudy_process_resident_memory_bytes');
    expect(await (await fetch(`${base}/demo`)).text()).toContain('["open","locked"]');
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
