import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Command } from 'commander';
import { ExitCode, UnderstudyError } from '../core/errors.ts';
import { type LiveFigures, liveTable } from './bench-live-figures.ts';
import { benchRoom } from './bench-live-room.ts';
import { benchRtsp } from './bench-live-rtsp.ts';
import { benchWebRtc } from './bench-live-webrtc.ts';
import { collected } from './collected.ts';
import { machineName } from './machine-name.ts';

interface BenchLiveOptions {
  readonly minutes: string;
  readonly json?: string;
  readonly only?: string;
  readonly sound?: boolean;
  readonly set?: string[];
}

const PARTS = ['webrtc', 'rtsp', 'room'];
/** Longer runs of RTSP and of the room tell nothing new: memory and growth are looked at in the WebRTC run. */
const SHORT_MINUTES = 1;

export function registerBenchLive(bench: Command): void {
  bench
    .command('live')
    .description('frame rate, added latency, memory and handles of live streams, on real peers over loopback')
    .option('--minutes <n>', 'length of the WebRTC run, which is the soak too', '30')
    .option('--only <part>', 'webrtc (with the soak), rtsp or room')
    .option('--sound', 'publish a microphone too and measure the skew of sound and picture')
    .option('--json <file>', 'write the figures')
    .option('--set <key=value>', 'one setting of the command that is measured; may be given several times', collected)
    .action(async (_: unknown, command: Command) => benchLive(command.optsWithGlobals()));
}

async function benchLive(options: BenchLiveOptions): Promise<void> {
  const minutes = Number(options.minutes);
  if (!(minutes >= 0.3)) {
    throw new UnderstudyError(ExitCode.usage, `--minutes is too short: ${options.minutes}`, 'give 0.3 or more');
  }
  const { only } = options;
  if (only !== undefined && !PARTS.includes(only)) {
    throw new UnderstudyError(ExitCode.usage, `there is no part ${only}`, `give --only ${PARTS.join(', ')}`);
  }
  const asked = (part: string) => only === undefined || only === part;
  const settings = (options.set ?? []).flatMap((setting) => ['--set', setting]);
  const tell = (sentence: string) => process.stderr.write(`bench live: ${sentence}\n`);
  mkdirSync('out', { recursive: true });
  const shared = { folder: 'out', settings, tell };
  const short = Math.min(minutes, SHORT_MINUTES);
  const live = asked('webrtc') ? await benchWebRtc({ ...shared, minutes, sound: options.sound ?? false }) : undefined;
  const camera = asked('rtsp') ? await benchRtsp(short, 'out', settings, tell) : undefined;
  const room = asked('room') ? await benchRoom({ ...shared, minutes: short }) : null;
  const figures: LiveFigures = {
    machine: machineName(),
    webrtc: live?.webrtc ?? null,
    rtsp: camera?.rtsp ?? null,
    soak: live?.soak ?? null,
    room,
  };
  process.stdout.write(liveTable(figures, [...(live?.notes ?? []), ...(camera?.notes ?? [])]));
  if (options.json) {
    mkdirSync(dirname(options.json), { recursive: true });
    writeFileSync(options.json, `${JSON.stringify(figures, null, 2)}\n`);
  }
}
