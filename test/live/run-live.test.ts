import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { childrenWith } from './fault-run.ts';
import { flashClip, skews, streamsOf } from './flash.ts';
import { FaceSearch, framesOf, personClip } from './people.ts';
import { ended, freePort, has, startRtspServer, temporaryFolder, until } from './support.ts';
import { UdpReceiver } from './udp-receiver.ts';

const ready = has('/usr/bin/python3', '-c', 'import gi; gi.require_version("GstRtspServer", "1.0")');
const folder = temporaryFolder();
const at = (name: string) => join(folder, name);

interface Finished {
  readonly code: number | null;
  readonly stderr: string;
}

function understudy(...args: string[]): { child: ChildProcess; done: Promise<Finished> } {
  const child = spawn(process.execPath, ['dist/main.js', 'run', ...args], { stdio: ['ignore', 'inherit', 'pipe'] });
  let stderr = '';
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  return { child, done: new Promise((resolve) => child.once('close', (code) => resolve({ code, stderr }))) };
}

describe('understudy run with live streams', { timeout: 180_000 }, () => {
  let search: FaceSearch;
  let anna: Float32Array[];

  beforeAll(async () => {
    personClip('anna', at('anna.mkv'), '480x360', 10);
    const twelve = ['-stream_loop', '11', '-i', at('anna.mkv'), '-c', 'copy'];
    execFileSync('ffmpeg', ['-v', 'error', '-y', ...twelve, at('long.mkv')]);
    search = await FaceSearch.create();
    anna = await search.person(at('anna.mkv'));
  });

  describe.skipIf(!ready)('RTSP (needs gir1.2-gst-rtsp-server-1.0 and python3-gi)', () => {
    let server: ChildProcess;
    let port: number;
    beforeAll(async () => {
      port = await freePort();
      server = await startRtspServer(port, at('long.mkv'), at('anon.ts'));
    });
    afterAll(async () => {
      server.kill('SIGKILL');
      await ended(server);
    });

    it('publishes an understudy, publishes again when the encoder is killed, and drains at SIGTERM', async () => {
      const udp = await UdpReceiver.open();
      const { child, done } = understudy(
        ...[`rtsp://127.0.0.1:${port}/cam`, `rtsp://127.0.0.1:${port}/anon`, '--also', `udp://127.0.0.1:${udp.port}`],
        ...['--report', at('live.json')],
      );
      const size = (name: string) => (existsSync(at(name)) ? statSync(at(name)).size : 0);
      try {
        await until(() => size('anon.ts') > 60_000 && udp.bytes > 60_000, 90_000, 'both outputs');
        const before = (await search.search(framesOf(at('anon.ts'), 3), anna)) ?? undefined;
        expect(before.matches, `best cosine ${before.best}`).toBe(0);
        expect(before.withFace).toBeGreaterThan(0);
        for (const pid of childrenWith('/anon', child.pid)) process.kill(pid, 'SIGKILL');
        await until(() => size('anon.ts') < 60_000, 30_000, 'a new recording');
        await until(() => size('anon.ts') > 60_000, 60_000, 'the output after the encoder was killed');
      } finally {
        child.kill('SIGTERM');
      }
      const { code, stderr } = await done;
      await udp.close(at('udp.ts'));
      expect(stderr).toContain('the live output ended');
      expect(code).toBe(0);
      for (const name of ['anon.ts', 'udp.ts']) {
        const seen = await search.search(framesOf(at(name), 3), anna);
        expect(seen.matches, `${name}: best cosine ${seen.best}`).toBe(0);
        expect(seen.withFace, name).toBeGreaterThan(0);
      }
      const report = JSON.parse(readFileSync(at('live.json'), 'utf8')) as { totals: { generated: number } };
      expect(report.totals.generated).toBeGreaterThan(10);
    });

    it('records a camera into a file for as long as it is told to', async () => {
      const { done } = understudy(`rtsp://127.0.0.1:${port}/cam`, at('camera.mp4'), '--duration', '4');
      expect(await done).toMatchObject({ code: 0 });
      const seen = await search.search(framesOf(at('camera.mp4'), 5), anna);
      expect(seen.matches).toBe(0);
      expect(seen.frames).toBeGreaterThan(2);
    });
  });

  it('plays a recording out at its own speed and ends with it', async () => {
    const udp = await UdpReceiver.open();
    const { code, stderr } = await understudy(at('anna.mkv'), `udp://127.0.0.1:${udp.port}`).done;
    await udp.close(at('played.ts'));
    expect(stderr).not.toMatch(/fault of the program/);
    expect(code).toBe(0);
    const seen = await search.search(framesOf(at('played.ts'), 3), anna);
    expect(seen.matches).toBe(0);
    expect(seen.withFace).toBeGreaterThan(0);
  });

  it('plays the sound of a recording out in sync, unless it is to be dropped', async () => {
    flashClip(at('flash.mkv'), 10, 'opus');
    for (const drop of [false, true]) {
      const udp = await UdpReceiver.open();
      const audio = drop ? ['--audio', 'drop'] : [];
      const { code } = await understudy(at('flash.mkv'), `udp://127.0.0.1:${udp.port}`, ...audio).done;
      await udp.close(at('sound.ts'));
      expect(code).toBe(0);
      expect(streamsOf(at('sound.ts'))).toEqual(drop ? ['video h264'] : ['audio aac', 'video h264']);
      if (drop) continue;
      const found = skews(at('sound.ts'));
      console.info(`sound later than the picture, ms: ${found.map(Math.round).join(' ')}`);
      expect(found.length).toBeGreaterThanOrEqual(2);
      for (const skew of found) expect(Math.abs(skew)).toBeLessThan(80);
    }
  });

  it('names what is wrong in one sentence, with the exit code of the side', async () => {
    const refused = async (args: string[], code: number, words: RegExp) => {
      const result = await understudy(...args).done;
      expect(result.stderr).toMatch(words);
      expect(result.stderr.trim().split('\n')).toHaveLength(1);
      expect(result.stderr).not.toContain('secret');
      expect(result.code).toBe(code);
    };
    const closed = await freePort();
    await refused([`rtsp://me:secret@127.0.0.1:${closed}/cam`, at('x.mp4')], 4, /refused the connection/);
    await refused(['rtsp://me:secret@no-such-host.invalid/cam', at('x.mp4')], 4, /cannot be found/);
    await refused(['device:/dev/video99', at('x.mp4')], 4, /video99 does not exist/);
    await refused(['gopher://me:secret@example.org/x', at('x.mp4')], 4, /is of a kind that is not known/);
    await refused([at('anna.mkv'), 'v4l2:/dev/video98'], 5, /virtual camera \/dev\/video98 does not exist/);
    await refused([at('anna.mkv'), 'udp://127.0.0.1:9999', '--start', '3'], 2, /--start does not apply/);
    await refused([at('none.mkv'), 'udp://127.0.0.1:9999'], 4, /does not exist/);
    await refused([at('anna.mkv'), 'udp://127.0.0.1:9999', '--set', 'live.lookaheadFrames=9'], 2, /lookaheadFrames/);
  });
});
