/// <reference lib="dom" />
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Browser, chromiumPath } from './browser.ts';
import { personClip } from './people.ts';
import { RtpPublisher } from './rtp-publisher.ts';
import { freePorts, ServeProcess } from './serve-process.ts';
import { ended, eventually, temporaryFolder } from './support.ts';

const PATIENCE_MS = 60_000;
/** TURN servers refuse to relay to loopback, as they should. */
const address = Object.values(networkInterfaces())
  .flat()
  .find((each) => each?.family === 'IPv4' && !each.internal)?.address;
const coturn = ['/usr/bin/turnserver', '/usr/local/bin/turnserver'].find((path) => existsSync(path));

describe.skipIf(!coturn || !address)('through a TURN server (needs coturn and a network)', { timeout: 180_000 }, () => {
  const folder = temporaryFolder();
  const clip = join(folder, 'anna.mkv');
  const secret = { username: 'relay', credential: 'of-the-test' };
  let turn: ChildProcess;
  let urls: string;
  let server: ServeProcess;

  beforeAll(async () => {
    personClip('anna', clip, '320x240', 5);
    const [port] = await freePorts(1);
    urls = `turn:${address}:${port}`;
    const where = ['-n', '-L', address!, '-E', address!, '-p', String(port), '--no-tls', '--no-dtls', '--no-cli'];
    const who = ['--lt-cred-mech', '-u', `${secret.username}:${secret.credential}`, '-r', 'test'];
    turn = spawn(coturn!, [...where, ...who, '--log-file', 'stdout', '--pidfile', join(folder, 'turn.pid')], {
      stdio: 'ignore',
      cwd: folder,
    });
    server = await ServeProcess.start({
      serve: { streams: { live: {} }, iceServers: [{ urls, ...secret }, { urls: urls.replace('turn', 'stun') }] },
    });
  });
  afterAll(async () => {
    expect(await server?.stop()).toBe(0);
    turn?.kill('SIGTERM');
    if (turn) await ended(turn);
  });

  const arrive = async () => {
    const before = await server.metric('pictures_total', 'stream="live"');
    const more = async () => (await server.metric('pictures_total', 'stream="live"')) > before + 5;
    await eventually(more, PATIENCE_MS, 'pictures of the publisher');
  };
  const only = (kind: string) => (sdp: string) =>
    sdp
      .split('\r\n')
      .filter((line) => !line.startsWith('a=candidate:') || line.includes(` typ ${kind}`))
      .join('\r\n');

  it('takes a publisher who reaches the server by its relayed address alone', async () => {
    const url = `${server.base}/live/whip`;
    const publisher = await RtpPublisher.start({ clip, codec: 'vp8', url, heard: only('relay') });
    try {
      expect(publisher.answer).toMatch(/^a=candidate:.* typ relay/m);
      await arrive();
    } finally {
      await publisher.close();
    }
    expect(server.log).not.toContain(secret.credential);
  });

  it.skipIf(!chromiumPath)(
    'takes a browser that has nothing but a relay, which the server has told the page of',
    async () => {
      const free = async () => (await server.metric('publishing', 'stream="live"')) === 0;
      await eventually(free, PATIENCE_MS, 'the stream to be free again');
      personClip('anna', join(folder, 'anna.mjpeg'), '320x240', 5);
      const browser = await Browser.open(join(folder, 'anna.mjpeg'), `${server.base}/demo`);
      try {
        await browser.page.evaluate(() => {
          const Plain = RTCPeerConnection;
          window.RTCPeerConnection = class extends Plain {
            constructor(given?: RTCConfiguration) {
              super({ ...given, iceTransportPolicy: 'relay' });
            }
          };
        });
        await browser.page.selectOption('#mine', 'live');
        await browser.page.click('#publish');
        await browser.page.waitForFunction(`document.querySelector('#status').textContent.includes('sending')`);
        await arrive();
      } finally {
        await browser.close();
      }
    },
  );
});
