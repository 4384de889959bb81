import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chmodSync, copyFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import installer from '@ffmpeg-installer/ffmpeg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { command } from './run-process.ts';
import { ended, freePort, has, makeClip, temporaryFolder } from './support.ts';

const ready = has('/usr/bin/python3', '-c', 'import gi; gi.require_version("GstRtspServer", "1.0")');
const folder = temporaryFolder();
const at = (name: string) => join(folder, name);
const TONE = 'audiotestsrc is-live=true ! alawenc ! rtppcmapay name=pay0 pt=8';
const UNKNOWN = 'capssetter name=pay0 caps=application/x-rtp,encoding-name=UNHEARD-OF';
// ffmpeg looks at five megabytes before it gives up.
const NOISE = 'videotestsrc is-live=true pattern=snow ! video/x-raw,format=I420,width=640,height=480,framerate=30/1';
const ODD = `${NOISE} ! x264enc tune=zerolatency speed-preset=ultrafast bitrate=20000 ! rtph264pay pt=96 ! ${UNKNOWN}`;

/** Starts the program in vain. */
async function refused(args: readonly string[], code: number, says: RegExp, env: Record<string, string> = {}) {
  const result = await command(args, env).done;
  expect(result.stderr).toMatch(says);
  expect(result.stderr.trim().split('\n'), result.stderr).toHaveLength(1);
  expect(result.stderr).toMatch(/^understudy: .+; .+/);
  expect(result.stderr).not.toContain('secret');
  expect(result.code).toBe(code);
}

describe('bad input of live streams: one sentence, without passwords, and the exit code of the side', {
  timeout: 60_000,
}, () => {
  const clip = at('clip.mkv');
  beforeAll(() => makeClip(clip, 2));
  const from = (address: string, ...more: string[]) => ['run', address, at('x.mp4'), ...more];
  const to = (address: string, ...more: string[]) => ['run', clip, address, ...more];

  it('an address that nobody is at, or of an unknown kind', async () => {
    // A port that was free a moment ago may be another test's by now.
    await refused(from('rtsp://me:secret@127.0.0.1:1/cam'), 4, /refused the connection/);
    await refused(from('rtsp://me:secret@no-such-host.invalid/cam'), 4, /cannot be found/);
    // No route leads to a group by TCP.
    await refused(from('rtsp://me:secret@224.0.0.1/cam'), 4, /rtsp:\/\/224\.0\.0\.1\/cam cannot be reached/);
    await refused(from('gopher://me:secret@example.org/x'), 4, /is of a kind that is not known/);
    await refused(to('gopher://me:secret@example.org/x'), 5, /is of a kind that is not known/);
    await refused(to('udp://me:secret@no-such-host.invalid:5000'), 5, /cannot be found/);
    await refused(['run', at('none.mkv'), 'udp://127.0.0.1:9999'], 4, /does not exist/);
  });

  it('a host that takes the connection and never answers', async () => {
    const silent: Server = createServer(() => {});
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const { port } = silent.address() as { port: number };
    const args = from(`rtsp://me:secret@127.0.0.1:${port}/cam`, '--set', 'live.openMs=1500');
    await refused(args, 4, /sent no picture in time/);
    silent.close();
  });

  describe.skipIf(!ready)('an RTSP server (needs gir1.2-gst-rtsp-server-1.0 and python3-gi)', () => {
    const servers: ChildProcess[] = [];
    const serve = async (...options: string[]) => {
      const port = await freePort();
      const args = ['test/live/rtsp-server.py', String(port), clip, '-', ...options];
      const server = spawn('/usr/bin/python3', args, { stdio: ['ignore', 'pipe', 'inherit'] });
      servers.push(server);
      await new Promise((resolve) => server.stdout.once('data', resolve));
      return port;
    };
    afterAll(async () => {
      for (const server of servers) server.kill('SIGKILL');
      await Promise.all(servers.map(ended));
    });

    it('without such a stream, with sound only, with a codec that ffmpeg has never heard of', async () => {
      const port = await serve(`/sound=${TONE}`, `/odd=${ODD}`);
      const camera = (path: string) => from(`rtsp://127.0.0.1:${port}${path}`, '--set', 'live.openMs=15000');
      await refused(camera('/nothing'), 4, /has no such stream/);
      await refused(camera('/sound'), 4, /has no video/);
      await refused(camera('/odd'), 4, /has a codec that this ffmpeg does not know/);
    });

    it('that refuses the password', async () => {
      const port = await serve('digest');
      await refused(from(`rtsp://user:secret@127.0.0.1:${port}/cam`), 4, /refused the user name or password/);
    });
  });

  it('a device that is missing, busy, or none', async () => {
    await refused(from('device:/dev/video99'), 4, /video99 does not exist/);
    await refused(to('v4l2:/dev/video98'), 5, /virtual camera \/dev\/video98 does not exist/);
    await refused(from('device:/dev/null'), 4, /gave no picture/);
    // The kernel refuses to open a program that runs for writing: the same word as for a camera that somebody has.
    copyFileSync(execFileSync('sh', ['-c', 'command -v sleep'], { encoding: 'utf8' }).trim(), at('busy'));
    const running = spawn(at('busy'), ['30']);
    await new Promise((resolve) => running.once('spawn', resolve));
    await refused(from(`device:${at('busy')}`), 4, /busy is in use/);
    running.kill();
  });

  it('settings that do not apply', async () => {
    await refused(to('udp://127.0.0.1:9999', '--start', '3'), 2, /--start does not apply/);
    await refused(to('udp://127.0.0.1:9999', '--set', 'live.lookaheadFrames=9'), 2, /lookaheadFrames/);
    await refused(['serve', '--udp-ports', '9000-8000'], 2, /serve\.udpPorts/);
    await refused(['serve', '--host', 'no-such-host.invalid'], 2, /no-such-host\.invalid to listen on cannot be found/);
  });

  it('an ffmpeg without the encoder or the protocol', async () => {
    // ffmpeg as ever, but for one line of what it can do.
    const hide = 'case " $* " in *" -encoders "*) ffmpeg "$@" | grep -v libx264;; *) exec ffmpeg "$@";; esac';
    writeFileSync(at('ffmpeg'), `#!/bin/sh\n${hide}\n`);
    chmodSync(at('ffmpeg'), 0o755);
    const env = { FFMPEG_PATH: at('ffmpeg') };
    await refused(to('udp://127.0.0.1:9999'), 5, /the encoder libx264 is not in ffmpeg/, env);
    await refused(to('srt://127.0.0.1:9999'), 5, /has no SRT/, { FFMPEG_PATH: installer.path });
  });

  it('certificates that cannot be used', async () => {
    const serve = (cert: string, key: string) => ['serve', '--tls-cert', at(cert), '--tls-key', at(key)];
    for (const name of ['one', 'two']) {
      const made = ['-subj', '/CN=localhost', '-keyout', at(`${name}.key`), '-out', at(`${name}.pem`)];
      execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', ...made], { stdio: 'ignore' });
    }
    writeFileSync(at('text.pem'), 'no certificate\n');
    await refused(serve('none.pem', 'one.key'), 2, /none\.pem cannot be read/);
    await refused(serve('text.pem', 'one.key'), 2, /text\.pem is no certificate/);
    await refused(serve('one.pem', 'text.pem'), 2, /text\.pem is no private key/);
    await refused(serve('one.pem', 'two.key'), 2, /two\.key does not belong to the certificate .*one\.pem/);
    await refused(['serve', '--tls-cert', at('one.pem')], 2, /tlsCert and tlsKey belong together/);
  });

  it('a port that is in use', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as { port: number };
    await refused(['serve', '--host', '127.0.0.1', '--port', String(port)], 2, new RegExp(`port ${port} is in use`));
    other.close();
  });
});
