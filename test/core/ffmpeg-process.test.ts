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
    await saying(['[error] broken\n', ...key], (line) => log.line(line));
    expect([log.isDamaged(2.4e6), log.isDamaged(2.5e6)]).toEqual([true, false]);
    const unfinished = new DecoderLog(() => {});
    await saying(['[error] brok', 'en'], (line) => unfinished.line(line));
    expect(unfinished.isDamaged(0)).toBe(true);
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
