import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { type FfmpegTool, spawnFfmpeg } from '../../src/core/ffmpeg.ts';
import { withoutCredentials } from '../../src/core/stream-address.ts';
import { DecoderLog } from '../../src/ingest/live/decoder-log.ts';

/** Writes the parts one after the other, as ffmpeg does with level, name and message of one line. */
async function saying(parts: readonly string[], onError?: (line: string) => void): Promise<string> {
  const script = `const parts = ${JSON.stringify(parts)};
    const next = () => parts.length && process.stderr.write(parts.shift(), () => setTimeout(next, 30)); next();`;
  const tool: FfmpegTool = {
    path: process.execPath,
    version: '5',
    encoders: new Set(),
    probePath: undefined,
    modern: true,
  };
  const child = spawnFfmpeg(tool, ['-e', script], onError);
  await child.exited;
  return child.errors();
}

describe('a process that cannot be started', () => {
  it('has ended, and tells why: nobody has to be ready for an exception', async () => {
    const tool: FfmpegTool = {
      path: process.execPath,
      version: '5',
      encoders: new Set(),
      probePath: undefined,
      modern: true,
    };
    // The system refuses arguments that long, as it refuses anything where there is no memory.
    const child = spawnFfmpeg(tool, ['x'.repeat(4 << 20)], undefined, 1);
    child.process.stdin?.on('error', () => {}).write('a picture');
    expect(child.process.kill('SIGKILL')).toBe(false);
    expect(await child.exited).toBe(127);
    expect(child.errors()).toContain('E2BIG');
    for await (const _ of child.process.stdout!) expect.unreachable('nothing can come from it');
    expect(await child.orExit(new Promise(() => {}))).toBeUndefined();
  });

  it('is one of many open files too, of which no signal goes to anybody', async () => {
    const script = fileURLToPath(new URL('./no-descriptors.ts', import.meta.url));
    const command = `ulimit -n 256; exec '${process.execPath}' --import tsx '${script}'`;
    // In a group of its own: Node sends the signal for a process that was never there to the whole group.
    const child = spawn('sh', ['-c', command], { detached: true, stdio: ['ignore', 'pipe', 'inherit'] });
    let said = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    const ended = await new Promise((resolve) => child.once('close', (code, signal) => resolve([code, signal])));
    expect([said, ended]).toEqual(['127 spawn /bin/true EMFILE\n', [0, null]]);
  });
});

describe('what a process says in pieces', () => {
  it('tells of damage when the level comes apart from the message', async () => {
    let told = 0;
    const log = new DecoderLog(() => told++);
    const parts = ['frame=  1 fps=0\r', '[h264 @ 0x55] ', '[warn', 'ing] ', 'corrupt decoded frame in stream 0\n'];
    await saying(parts, (line) => log.line(line));
    expect([told, log.isDamaged(0)]).toEqual([1, true]);
  });

  it('tells of a key picture and of a last line without an end', async () => {
    const log = new DecoderLog(() => {});
    const key = ['[Parsed_showinfo_0 @ 0x5] ', '[info] ', 'n: 3 pts: 9 pts_time:2.5 ', 'iskey:1 type:I\n'];
    const bad = '[Parsed_showinfo_0 @ 0x5] [info] n: 2 pts: 8 pts_time:2.4 iskey:1 type:I\n';
    await saying(['[mjpeg @ 0x5] [error] broken\n', bad, ...key], (line) => log.line(line));
    expect([log.isDamaged(2.4e6), log.isDamaged(2.5e6)]).toEqual([true, false]);
    const unfinished = new DecoderLog(() => {});
    await saying(['[error] brok', 'en'], (line) => unfinished.line(line));
    expect(unfinished.isDamaged(0)).toBe(true);
  });

  it('takes no key picture for the end of damage that may be the damaged one itself', () => {
    const shown = (n: number, key = false) =>
      `[Parsed_showinfo_0 @ 0x5] [info] n: ${n} pts_time:${n} iskey:${+key} type:I`;
    const lines = [
      '[warning] rtsp://camera: corrupt input packet in stream 0',
      ...[29, 30].map((n) => shown(n)),
      '[hevc @ 0x5] [error] The slice_qp 77 is outside the valid range',
      ...[31, 32].map((n) => shown(n)),
      shown(33, true),
    ];
    const log = new DecoderLog(() => {});
    for (const line of lines) log.line(line);
    // The decoder still had two pictures that were shown before the one it complained of.
    expect([log.isDamaged(33e6), log.needsKey]).toEqual([true, true]);
    for (let n = 34; n < 50; n++) log.line(shown(n));
    log.line(shown(50, true));
    expect([log.needsKey, log.isDamaged(49e6), log.isDamaged(50e6)]).toEqual([false, true, false]);

    const inOrder = new DecoderLog(() => {}, undefined, true);
    inOrder.line('[h264 @ 0x5] [error] error while decoding MB 0 3, bytestream 9138');
    inOrder.line(shown(1, true));
    expect([inOrder.needsKey, inOrder.isDamaged(1e6)]).toEqual([true, true]);
    inOrder.line(shown(2, true));
    expect([inOrder.isDamaged(1.9e6), inOrder.isDamaged(2e6)]).toEqual([true, false]);
  });

  it('shows no password, wherever the pieces begin', async () => {
    const lines: string[] = [];
    const parts = [
      '[tcp @ 0x1] Connection to rtsp://cam',
      'era:hunter',
      '2@10.0.0.7/live ',
      'refused\nrtsp://a:hun',
      'ter2@h',
    ];
    const log = await saying(parts, (line) => lines.push(line));
    expect(lines.join('\n')).toContain('rtsp://10.0.0.7/live refused');
    expect(`${log}${lines.join()}`).not.toMatch(/hunter|hun\b|ter2/);
  });
});

describe('withoutCredentials', () => {
  it.each([
    ['rtsp://camera:hunter2@10.0.0.7:554/live', 'rtsp://10.0.0.7:554/live'],
    ['rtsp://camera:hunt@er2@10.0.0.7/live', 'rtsp://10.0.0.7/live'],
    ['rtsp://camera:hunt/er2@10.0.0.7/live', 'rtsp://10.0.0.7/live'],
    [
      'srt://10.0.0.7:9000?mode=caller&passphrase=hunter2&latency=20',
      'srt://10.0.0.7:9000?mode=caller&passphrase=…&latency=20',
    ],
    ['rtsp://10.0.0.7/user=admin&password=hunter2&channel=1', 'rtsp://10.0.0.7/user=…&password=…&channel=1'],
    ['udp://10.0.0.7:5000?pkt_size=1316', 'udp://10.0.0.7:5000?pkt_size=1316'],
  ])('%s', (url, shown) => {
    expect(withoutCredentials(url)).toBe(shown);
  });
});
