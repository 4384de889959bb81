import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { RTCPeerConnection } from 'werift';
import { type Posted, RtpPublisher } from './rtp-publisher.ts';
import { ServeProcess } from './serve-process.ts';
import { eventually, makeClip, temporaryFolder, until } from './support.ts';
import { fragmentOf, ufragOf, withoutCandidates } from './trickle.ts';
import { WhepViewer } from './whep-viewer.ts';

const PATIENCE_MS = 30_000;

describe('candidates that come later (RFC 9725, section 4.3)', { timeout: 90_000 }, () => {
  const clip = join(temporaryFolder(), 'clip.mkv');
  const open: { close(): Promise<void> }[] = [];
  let server: ServeProcess;
  beforeAll(async () => {
    makeClip(clip, 4, '320x240', 15);
    server = await ServeProcess.start({
      mode: 'mask',
      serve: { streams: { live: {}, later: {}, camera: { source: clip } } },
    });
  });
  afterEach(async () => {
    await Promise.all(open.splice(0).map((peer) => peer.close()));
  });
  afterAll(async () => {
    expect(await server?.stop()).toBe(0);
  });

  /** Neither side knows an address of the other: only the server can begin, and only once it is told one. */
  const apart = { offered: withoutCandidates, heard: withoutCandidates };
  const publish = async (stream = 'live') => {
    const publisher = await RtpPublisher.start({ clip, codec: 'vp8', url: `${server.base}/${stream}/whip`, ...apart });
    open.push(publisher);
    return publisher;
  };
  const watch = async () => {
    const viewer = await WhepViewer.watch(`${server.base}/camera/whep`, apart);
    open.push(viewer);
    return viewer;
  };
  const patch = async ({ location }: Posted, body: string, headers: Record<string, string>) => {
    const all = { 'Content-Type': 'application/trickle-ice-sdpfrag', ...headers };
    const response = await fetch(server.base + location, { method: 'PATCH', headers: all, body });
    // RFC 9725: not of a candidate, and not of a session that stays what it is.
    expect(response.headers.get('etag')).toBeNull();
    return response;
  };
  const connected = ({ connectionState }: RTCPeerConnection) => connectionState === 'connected';

  for (const [kind, enter] of [
    ['WHIP', publish],
    ['WHEP', watch],
  ] as const) {
    it(`are taken, and no others: ${kind}`, async () => {
      const { peer, session } = await enter();
      const offer = peer.localDescription!.sdp;
      const fragment = fragmentOf(offer);
      const other = fragment.replaceAll(ufragOf(offer), 'another');
      const problem = async (body: string, headers: Record<string, string>, status: number, said: string) => {
        const response = await patch(session, body, headers);
        expect(response.status).toBe(status);
        expect(response.headers.get('content-type')).toBe('application/problem+json');
        expect(await response.json()).toMatchObject({ status, detail: expect.stringContaining(said) });
      };
      const own = { 'If-Match': session.etag };
      await problem(fragment, { 'If-Match': '"other"' }, 412, 'the ETag is of another ICE session');
      await problem(fragment, { ...own, 'Content-Type': 'application/sdp' }, 415, 'trickle-ice-sdpfrag');
      const refused = 'this would restart ICE, which is not supported';
      await problem(other, { 'If-Match': '*' }, 422, refused);
      await problem(other, own, 422, refused);
      // The other session only at the candidates, or none named.
      await problem(fragment.replace(/ ufrag \S+/g, ' ufrag another'), own, 422, refused);
      await problem(fragment.replace(/a=ice-.*\r\n| ufrag \S+/g, ''), { 'If-Match': '*' }, 422, refused);
      await problem(fragment.replace('a=mid:0', 'a=mid:nine'), own, 400, 'the candidates cannot be read');
      // None of those was added, nor did it end the session.
      await new Promise((resolve) => setTimeout(resolve, 1000));
      expect(connected(peer)).toBe(false);
      // A candidate of no use here, and one behind a name that nobody knows, are nothing to complain of.
      const useless = [
        'a=candidate:1 1 tcp 1 192.0.2.1 9 typ host tcptype active',
        'a=candidate:2 1 udp 1 x.local 9 typ host',
      ];
      expect((await patch(session, `a=mid:0\r\n${useless.join('\r\n')}\r\n`, own)).status).toBe(204);
      expect((await patch(session, fragment, own)).status).toBe(204);
      await until(() => connected(peer), PATIENCE_MS, 'the connection');
      // As MediaMTX's own page sends them.
      expect((await patch(session, fragment, { 'If-Match': '*' })).status).toBe(204);
    });
  }

  it('bring pictures there and back', async () => {
    const publisher = await publish('later');
    const offer = publisher.peer.localDescription!.sdp;
    expect((await patch(publisher.session, fragmentOf(offer), { 'If-Match': publisher.session.etag })).status).toBe(
      204,
    );
    const come = async () => (await server.metric('pictures_total', 'stream="later"')) > 10;
    await eventually(come, PATIENCE_MS, 'pictures of the publisher');
    const viewer = await watch();
    expect(viewer.video).toHaveLength(0);
    const watched = viewer.peer.localDescription!.sdp;
    expect((await patch(viewer.session, fragmentOf(watched), { 'If-Match': viewer.session.etag })).status).toBe(204);
    await until(() => viewer.video.length > 10, PATIENCE_MS, 'pictures for the viewer');
  });

  it('are not needed by a viewer whose own say that they are all and cannot be reached', async () => {
    // As Firefox offers where a page may not use the camera.
    const hidden = 'a=candidate:1 1 udp 2122260223 0f1f2f3f-1111-2222-3333-444455556666.local 50000 typ host';
    const offered = (offer: string) =>
      withoutCandidates(offer).replace(/^a=ice-ufrag/m, `${hidden}\r\na=end-of-candidates\r\na=ice-ufrag`);
    const viewer = await WhepViewer.watch(`${server.base}/camera/whep`, { offered });
    open.push(viewer);
    await until(() => viewer.video.length > 10, PATIENCE_MS, 'pictures');
  });
});
