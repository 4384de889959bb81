import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { childrenWith } from './fault-run.ts';
import { expectInSync, flashClip, skews, streamsOf } from './flash.ts';
import { FaceSearch, framesOf, personClip } from './people.ts';
import { understudy } from './run-process.ts';
import { ended, freePort, has, startRtspServer, temporaryFolder, until } from './support.ts';
import { UdpReceiver } from './udp-receiver.ts';

const ready = has('/usr/bin/python3', '-c', 'import gi; gi.require_version("GstRtspServer", "1.0")');
const folder = temporaryFolder();
const at = (name: string) => join(folder, name);

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

  const listens = execFileSync('ffmpeg', ['-v', 'error', '-protocols'], { encoding: 'utf8' }).includes('  srt\n');
  it.skipIf(!listens)('sends to a listener by SRT (needs an ffmpeg with libsrt)', async () => {
    const port = await freePort();
    const listen = ['-y', '-i', `srt://127.0.0.1:${port}?mode=listener`, '-map', '0:v', '-c', 'copy', at('srt.ts')];
    const listener = spawn('ffmpeg', ['-v', 'error', '-nostdin', ...listen], { stdio: 'ignore' });
    try {
      const { code, stderr } = await understudy(at('anna.mkv'), `srt://127.0.0.1:${port}`).done;
      expect(code, stderr).toBe(0);
      await ended(listener);
    } finally {
      listener.kill('SIGKILL');
    }
    const seen = await search.search(framesOf(at('srt.ts'), 3), anna);
    expect(seen.matches, `best cosine ${seen.best}`).toBe(0);
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
      expectInSync(skews(at('sound.ts')));
    }
  });

  it('says that it found no face, by its exit code too where it has left a recording', async () => {
    flashClip(at('nobody.mkv'), 4, 'none');
    const udp = await UdpReceiver.open();
    const to = `udp://127.0.0.1:${udp.port}`;
    const runs = [
      { args: [], code: 0, said: true },
      { args: ['--also', at('nobody.mp4')], code: 3, said: true },
      { args: ['--also', at('nobody.mp4'), '--allow-no-face'], code: 0, said: false },
    ];
    for (const { args, code, said } of runs) {
      const ended = await understudy(at('nobody.mkv'), to, ...args).done;
      expect(ended.code, ended.stderr).toBe(code);
      expect(ended.stderr.includes('no face was found in'), ended.stderr).toBe(said);
      expect(existsSync(at('nobody.mp4'))).toBe(args.length > 0);
    }
    await udp.close(at('nobody.ts'));
  });

  it('goes on when the file of a further output fails, and says so by its exit code', async () => {
    const udp = await UdpReceiver.open();
    const to = `udp://127.0.0.1:${udp.port}`;
    const args = ['--also', at('lost.mkv'), '--report', at('lost.json'), '--mode', 'mask', '--allow-no-face'];
    const { child, done } = understudy(at('anna.mkv'), to, ...args);
    await until(() => childrenWith('lost.part-', child.pid).length > 0, 90_000, 'the encoder of the file');
    for (const pid of childrenWith('lost.part-', child.pid)) process.kill(pid, 'SIGKILL');
    const { code, stderr } = await done;
    await udp.close(at('other.ts'));
    expect(stderr).toMatch(
      /a further output failed \(the encoder of .*lost\.mkv was ended by SIGKILL\); the others go on/,
    );
    expect(stderr.trim().split('\n').at(-1)).toMatch(/^understudy: the encoder of .*lost\.mkv was ended by SIGKILL; /);
    expect(code).toBe(8);
    expect(existsSync(at('lost.mkv'))).toBe(false);
    expect(framesOf(at('other.ts'), 1).length).toBeGreaterThan(2);
    const { outputs } = JSON.parse(readFileSync(at('lost.json'), 'utf8'));
    expect(outputs).toMatchObject([
      { to, delivered: true },
      { to: at('lost.mkv'), delivered: false, failed: expect.stringContaining('SIGKILL') },
    ]);
    expect(outputs[0].failed).toBeUndefined();
  });

  it('ends at the second signal without an abort, whose dump would hold pictures', async () => {
    const { child, done } = understudy(at('long.mkv'), 'udp://127.0.0.1:9', '--also', at('dropped.mkv'));
    const writing = () => readdirSync(folder).some((name) => name.startsWith('.dropped.part-'));
    await until(writing, 90_000, 'the file that is being written');
    await new Promise((resolve) => setTimeout(resolve, 1000));
    child.kill('SIGTERM');
    await new Promise((resolve) => setTimeout(resolve, 50));
    child.kill('SIGTERM');
    const { code, signal, stderr } = await done;
    expect(stderr).not.toMatch(/terminate called|fault of the program/);
    // A native call may last for longer than anybody waits, and all may have been done at the first signal.
    expect([130, 'SIGKILL', 0]).toContain(code ?? signal);
    if (code !== 130) return;
    // A file that was complete when the second signal came has its name already, and stays.
    const names = readdirSync(folder).filter((name) => name.includes('dropped'));
    expect(names.filter((name) => name !== 'dropped.mkv')).toEqual([]);
    if (names.length > 0) expect(framesOf(at('dropped.mkv'), 1).length).toBeGreaterThan(2);
  });

  it('fails when nobody took a single picture', async () => {
    const args = [at('nobody.mkv'), 'rtsp://127.0.0.1:1/x', '--report', at('nobody.json'), '--mode', 'mask'];
    const { code, stderr } = await understudy(...args).done;
    expect(stderr).toMatch(/no picture could be delivered to rtsp:\/\/127\.0\.0\.1:1\/x; check/);
    expect(code).toBe(5);
    const [output] = JSON.parse(readFileSync(at('nobody.json'), 'utf8')).outputs;
    expect(output).toMatchObject({ to: 'rtsp://127.0.0.1:1/x', delivered: false });
    expect(output.dropped).toBeGreaterThan(0);
  });
});
