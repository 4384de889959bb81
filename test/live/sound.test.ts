import { type ChildProcess, execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { FanOutSink } from '../../src/egress/fan-out-sink.ts';
import { openFileSink } from '../../src/egress/file/file-sink.ts';
import { openSegmentSink } from '../../src/egress/live/segment-sink.ts';
import { openRtspSink } from '../../src/egress/rtsp/rtsp-sink.ts';
import { openTransportStreamSink } from '../../src/egress/rtsp/udp-sink.ts';
import type { Sink } from '../../src/egress/sink.ts';
import type { LiveSource } from '../../src/ingest/live/live-source.ts';
import { openPacedFileSource } from '../../src/ingest/live/paced-file-source.ts';
import { openRtspSource } from '../../src/ingest/rtsp/rtsp-source.ts';
import { type LiveServer, startServer } from '../../src/server/server.ts';
import { beeps, expectInSync, flashClip, skews, streamsOf } from './flash.ts';
import { childrenWith } from './processes.ts';
import { ended, freePort, has, poolFor, sealCopy, startRtspServer, temporaryFolder, until } from './support.ts';
import { UdpReceiver } from './udp-receiver.ts';
import { WhepViewer } from './whep-viewer.ts';

const ready = has('/usr/bin/python3', '-c', 'import gi; gi.require_version("GstRtspServer", "1.0")');
/** What the stages take. */
const LATENCY_MS = 300;
const SECONDS = 7;

const folder = temporaryFolder();
const at = (name: string) => join(folder, name);
const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Copies the pictures from a source to a sink, as late as the stages would. */
function relay(source: LiveSource, sink: Sink): Promise<void> {
  const pool = poolFor(source.info.format, 24);
  let written = Promise.resolve();
  return new Promise((resolve) => {
    source.frames.subscribe({
      next: (raw) => {
        const frame = sealCopy(raw, pool);
        setTimeout(() => {
          raw.close();
          if (frame) written = written.then(() => sink.write(frame));
        }, LATENCY_MS);
      },
      complete: () => setTimeout(() => void written.then(resolve), LATENCY_MS + 20),
    });
  });
}

describe.skipIf(!ready)(
  'sound of a camera (needs gir1.2-gst-rtsp-server-1.0 and python3-gi)',
  { timeout: 90_000 },
  () => {
    const servers: ChildProcess[] = [];
    const sources: LiveSource[] = [];
    const sinks: Sink[] = [];
    /** A test that fails leaves no encoder behind for the next one to find. */
    const ending = <S extends Sink>(sink: S): S => {
      sinks.push(sink);
      return sink;
    };
    afterEach(async () => {
      await Promise.all(sinks.splice(0).map((sink) => sink.abort()));
      await Promise.all(sources.splice(0).map((source) => source.close()));
      for (const server of servers.splice(0)) {
        server.kill('SIGKILL');
        await ended(server);
      }
    });

    const camera = async (sound: 'alaw' | 'mulaw' | 'aac' | 'opus' | 'none', record = '-') => {
      flashClip(at(`${sound}.mkv`), 30, sound);
      const port = await freePort();
      servers.push(
        await startRtspServer(port, at(`${sound}.mkv`), record, false, sound === 'none' ? undefined : sound),
      );
      return `rtsp://127.0.0.1:${port}`;
    };
    const open = async (url: string, keepAudio = true) => {
      const source = await openRtspSource(`${url}/cam`, { keepAudio, inFlight: 14 });
      sources.push(source);
      return source;
    };

    for (const [sound, codec] of [
      ['alaw', 'pcm_alaw'],
      ['aac', 'aac'],
      ['opus', 'opus'],
    ] as const) {
      it(`copies ${codec} to an RTSP server in sync`, async () => {
        const url = await camera(sound, at(`${sound}-out.mkv`));
        const source = await open(url);
        const sink = ending(await openRtspSink(`${url}/anon`, { audio: source.audio }));
        const done = relay(source, sink);
        await wait(1000 * (SECONDS + 2));
        await source.close();
        await done;
        await sink.finish();
        expect(sink.restarts).toBe(0);
        expect(streamsOf(at(`${sound}-out.mkv`))).toEqual([`audio ${codec}`, 'video h264']);
        // The receiver aligns the two with the first sender reports: the first flash comes before.
        expectInSync(skews(at(`${sound}-out.mkv`)).slice(1), 2);
      });
    }

    it('makes AAC of G.711 for MPEG-TS, MP4 and segments', async () => {
      const source = await open(await camera('mulaw'));
      const udp = await UdpReceiver.open();
      const settings = { codec: 'h264', crf: 20, preset: 'ultrafast', hardware: 'none' } as const;
      const sink = new FanOutSink(
        await openTransportStreamSink(`udp://127.0.0.1:${udp.port}`, { audio: source.audio }),
        [
          await openFileSink(at('camera.mp4'), { ...settings, format: source.info.format, liveAudio: source.audio }),
          await openSegmentSink(at('segments'), { name: 'cam', segmentS: 60, audio: source.audio }),
        ],
        (error) => expect.unreachable(String(error)),
      );
      const done = relay(source, sink);
      await wait(1000 * SECONDS);
      await source.close();
      await done;
      await sink.finish();
      await udp.close(at('camera.ts'));
      const [segment] = readdirSync(at('segments'));
      for (const path of [at('camera.ts'), at('camera.mp4'), join(at('segments'), segment!)]) {
        expect(streamsOf(path), path).toEqual(['audio aac', 'video h264']);
        expectInSync(skews(path), 2);
      }
    });

    it('sends pictures alone from a camera without sound, and when sound is not kept', async () => {
      for (const [sound, keep] of [
        ['none', true],
        ['alaw', false],
      ] as const) {
        const source = await open(await camera(sound), keep);
        expect(source.audio).toBeUndefined();
        const udp = await UdpReceiver.open();
        const sink = ending(await openTransportStreamSink(`udp://127.0.0.1:${udp.port}`, { audio: source.audio }));
        const done = relay(source, sink);
        await until(() => sink.written > 30, 20_000, 'frames');
        await source.close();
        await done;
        await sink.finish();
        await udp.close(at('alone.ts'));
        expect(streamsOf(at('alone.ts'))).toEqual(['video h264']);
      }
    });

    it('has sound again after the decoder was killed, with silence between, and after the encoder was', async () => {
      const source = await open(await camera('alaw'));
      const udp = await UdpReceiver.open();
      const sink = ending(await openTransportStreamSink(`udp://127.0.0.1:${udp.port}`, { audio: source.audio }));
      const done = relay(source, sink);
      await until(() => sink.written > 60, 20_000, 'frames');
      for (const pid of childrenWith('/cam')) process.kill(pid, 'SIGKILL');
      await until(() => source.reconnects > 0, 20_000, 'another connection');
      await wait(7000);
      udp.save(at('reconnected.ts'));
      expectInSync(skews(at('reconnected.ts')), 3);
      const times = packetTimes(at('reconnected.ts'));
      const gaps = times.slice(1).map((time, i) => time - times[i]!);
      // Silence is sent for what is missing, so that a player does not wait for it.
      expect(Math.max(...gaps)).toBeLessThan(1);
      const before = sink.written;
      for (const pid of childrenWith(`127.0.0.1:${udp.port}`)) process.kill(pid, 'SIGKILL');
      await until(() => sink.restarts > 0, 10_000, 'the end of the encoder');
      udp.clear();
      await until(() => sink.written > before + 130, 30_000, 'frames of the next one');
      await source.close();
      await done;
      await sink.finish();
      await udp.close(at('restarted.ts'));
      expect(beeps(at('restarted.ts')).length).toBeGreaterThanOrEqual(2);
      expectInSync(skews(at('restarted.ts')), 2);
    });

    it('neither stops nor delays the pictures when the encoder of the sound is killed or hangs', async () => {
      const source = await open(await camera('mulaw'));
      const udp = await UdpReceiver.open();
      const sink = ending(await openTransportStreamSink(`udp://127.0.0.1:${udp.port}`, { audio: source.audio }));
      const done = relay(source, sink);
      await until(() => sink.written > 60, 20_000, 'frames');
      for (const pid of childrenWith('aac_low')) process.kill(pid, 'SIGKILL');
      await wait(6000);
      udp.save(at('deaf.ts'));
      expectInSync(skews(at('deaf.ts')), 3);
      const hung = childrenWith('aac_low');
      expect(hung).toHaveLength(1);
      process.kill(hung[0]!, 'SIGSTOP');
      const before = sink.written;
      await wait(4000);
      expect(sink.written - before).toBeGreaterThan(80);
      await source.close();
      await done;
      await sink.finish();
      expect(sink.restarts).toBe(0);
      await udp.close(at('deaf.ts'));
      const times = packetTimes(at('deaf.ts'));
      const gaps = times.slice(1).map((time, i) => time - times[i]!);
      expect(Math.max(...gaps)).toBeLessThan(1);
    });

    describe('for WHEP viewers', () => {
      let server: LiveServer | undefined;
      afterAll(() => server?.close());

      for (const kind of ['G.711 of a camera', 'AAC of a recording'] as const) {
        it(`becomes Opus in sync: ${kind}`, async () => {
          await server?.close();
          server = await startServer(
            {
              http: { host: '127.0.0.1', port: 0 },
              streams: { live: { source: 'given here' } },
              ...{ iceServers: [], additionalHosts: ['127.0.0.1'], rungsKbps: [400, 1000], minKbps: 100, inFlight: 14 },
              ...{ passAudio: true, log: () => {} },
            },
            ({ source, sink }) => relay(source as LiveSource, sink).then(() => sink.finish()),
          );
          let source: LiveSource;
          if (kind === 'G.711 of a camera') source = await open(await camera('alaw'));
          else {
            flashClip(at('aac.mp4'), 12, 'aac');
            source = await openPacedFileSource(at('aac.mp4'), { loop: true, keepAudio: true, inFlight: 14 });
            sources.push(source);
          }
          const fed = server.streams.get('live')!.feed(source);
          const viewer = await WhepViewer.watch(`http://127.0.0.1:${server.port}/live/whep`);
          await wait(1000 * (SECONDS + 2));
          await viewer.close();
          await source.close();
          await fed;
          const steps = viewer.audio.slice(1).map(({ packet }, i) => {
            return (packet.header.timestamp - viewer.audio[i]!.packet.header.timestamp) | 0;
          });
          // 20 ms at 48 kHz, but for rounding.
          expect(steps.filter((ticks) => Math.abs(ticks - 960) < 50).length).toBeGreaterThan(0.9 * steps.length);
          expectInSync(viewer.skews(), 2);
        });
      }
    });
  },
);

/** Seconds at which the packets of sound begin. */
function packetTimes(path: string): number[] {
  const args = ['-v', 'error', '-select_streams', 'a:0', '-show_entries', 'packet=pts_time', '-of', 'csv=p=0', path];
  const lines = execFileSync('ffprobe', args, { encoding: 'utf8' }).split('\n');
  return lines.map(Number.parseFloat).filter(Number.isFinite);
}
