import { execFileSync, spawnSync } from 'node:child_process';
import { expect } from 'vitest';

/** Sound of a clip: ffmpeg's arguments; the name is that of the RTSP server's branch. */
const CODECS = {
  aac: ['-c:a', 'aac', '-ac', '2'],
  alaw: ['-c:a', 'pcm_alaw', '-ar', '8000', '-ac', '1'],
  mulaw: ['-c:a', 'pcm_mulaw', '-ar', '8000', '-ac', '1'],
  opus: ['-c:a', 'libopus', '-ac', '2'],
  none: ['-an'],
};

/** A grey picture that flashes for 100 ms every 2 s, from second 1 on, and a tone for as long at the same moments. */
export function flashClip(path: string, seconds: number, sound: keyof typeof CODECS): void {
  const flash = `color=c=gray:s=320x240:r=25:d=${seconds},geq=lum='if(lt(mod(T+1,2),0.099),235,60)':cb=128:cr=128`;
  const beep = `aevalsrc='if(lt(mod(t+1,2),0.1),0.8*sin(2*PI*1000*t),0)':s=48000:d=${seconds}`;
  execFileSync('ffmpeg', [
    ...['-v', 'error', '-y', '-f', 'lavfi', '-i', flash, '-f', 'lavfi', '-i', beep],
    ...['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '25', '-bf', '0', '-pix_fmt', 'yuv420p'],
    ...[...CODECS[sound], path],
  ]);
}

function report(...args: string[]): string {
  const told = spawnSync('ffmpeg', ['-hide_banner', '-nostats', '-copyts', ...args, '-f', 'null', '-'], {
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  });
  return told.stderr;
}

/** Seconds at which a flash begins. */
export function flashes(path: string): number[] {
  const found: number[] = [];
  let bright = true;
  const lines = report('-i', path, '-map', '0:v:0', '-vsync', '0', '-vf', 'scale=16:16,format=gray,showinfo');
  for (const [, time, mean] of lines.matchAll(/pts_time:\s*([-\d.]+).*mean:\[(\d+)/g)) {
    const now = Number(mean) > 160;
    if (now && !bright) found.push(Number(time));
    bright = now;
  }
  return found;
}

/** Seconds at which a tone begins. */
export function beeps(path: string): number[] {
  // The end of a file counts as the end of a silence too: with a second more it is near no flash.
  const detect = 'apad=pad_dur=1,silencedetect=noise=-30dB:duration=0.3';
  const lines = report('-i', path, '-map', '0:a:0', '-af', detect);
  return [...lines.matchAll(/silence_end: ([-\d.]+)/g)].map((found) => Number(found[1]));
}

/** By how many milliseconds the sound is later than the picture, for each flash that has a tone within half a second. */
export function skews(path: string): number[] {
  return pairs(flashes(path), beeps(path));
}

export function pairs(pictures: readonly number[], tones: readonly number[]): number[] {
  return pictures.flatMap((flash) => {
    const nearest = tones.map((beep) => 1000 * (beep - flash)).sort((a, b) => Math.abs(a) - Math.abs(b))[0];
    return nearest !== undefined && Math.abs(nearest) < 500 ? [nearest] : [];
  });
}

const MAX_SKEW_MS = 80;

/** The median counts: pictures are dropped on a busy machine, and a flash whose first picture is gone is seen later. The goal is 40. */
export function expectInSync(found: readonly number[], atLeast = 2): void {
  console.info(`sound later than the picture, ms: ${found.map(Math.round).join(' ')}`);
  expect(found.length).toBeGreaterThanOrEqual(atLeast);
  const middle = [...found].sort((a, b) => a - b)[found.length >> 1]!;
  expect(Math.abs(middle)).toBeLessThan(MAX_SKEW_MS);
}

/** Codec names of a file's streams, such as `video h264`. */
export function streamsOf(path: string): string[] {
  const args = ['-v', 'error', '-show_entries', 'stream=codec_type,codec_name', '-of', 'json', path];
  const { streams } = JSON.parse(execFileSync('ffprobe', args, { encoding: 'utf8' })) as {
    streams: { codec_type: string; codec_name: string }[];
  };
  return streams.map(({ codec_type, codec_name }) => `${codec_type} ${codec_name}`).sort();
}
