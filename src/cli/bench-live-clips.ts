import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { findFfmpeg } from '../core/ffmpeg.ts';
import { ModelStore } from '../infer/model-store.ts';
import { STAMP, stampFilter } from './frame-stamp.ts';

export const CLIP_FPS = 30;
/** One face with nobody else in the window, about half the picture's height, swaying so that the clip can be played in a loop. */
const PHOTO = 'demo-photo-3';
const LOOP_S = STAMP.frames / CLIP_FPS;

interface Window {
  readonly width: number;
  readonly height: number;
  readonly frameRate?: number;
  /** In the photograph. */
  readonly crop: string;
}

const CAMERA: Window = { width: 640, height: 480, crop: 'crop=600:450:887:130' };
const RTSP: Window = { width: 1280, height: 720, crop: 'crop=680:393:838:170' };

/** Of each of the two in a room. */
export const ROOM = { width: 640, height: 360, frameRate: 15 } as const;

function picture({ width, height, frameRate = CLIP_FPS, crop }: Window): string {
  const loopS = STAMP.frames / frameRate;
  // A tenth larger than the picture, so that there is room to sway.
  const large = `${crop},scale=${even(width * 1.1)}:${even(height * 1.1)}`;
  const x = `(iw-${width})*(0.5+0.5*sin(2*PI*t/${loopS}))`;
  const y = `(ih-${height})*(0.5+0.5*sin(4*PI*t/${loopS}))`;
  return `${large},crop=${width}:${height}:'${x}':'${y}',format=yuv420p,${stampFilter()}`;
}

async function encode(window: Window, coding: readonly string[], out: string): Promise<void> {
  const { path } = await findFfmpeg();
  const still = [
    '-loop',
    '1',
    '-framerate',
    String(window.frameRate ?? CLIP_FPS),
    '-i',
    ModelStore.open().verify(PHOTO),
  ];
  const frames = ['-frames:v', String(STAMP.frames), '-vf', picture(window)];
  await promisify(execFile)(path, ['-v', 'error', '-y', ...still, ...frames, ...coding, out]);
}

/** 640×480 at 30 fps, as Chromium's fake camera plays it in a loop; uncompressed, because decoding would cost time of the measurement. */
export function makeCameraClip(out: string): Promise<void> {
  return encode(CAMERA, ['-pix_fmt', 'yuv420p', '-f', 'yuv4mpegpipe'], out);
}

/** 640×360 at 15 fps, for the same use. */
export function makeRoomClip(out: string): Promise<void> {
  const window = { ...ROOM, crop: RTSP.crop };
  return encode(window, ['-pix_fmt', 'yuv420p', '-f', 'yuv4mpegpipe'], out);
}

/** 720p at 30 fps, H.264 in Matroska, as long as is asked for. */
export async function makeRtspClip(out: string, seconds: number): Promise<void> {
  const { path } = await findFfmpeg();
  const one = `${out}.once.mkv`;
  const coding = ['-c:v', 'libx264', '-preset', 'veryfast', '-crf', '20', '-g', '15', '-bf', '0'];
  await encode(RTSP, coding, one);
  const loops = ['-stream_loop', String(Math.ceil(seconds / LOOP_S)), '-i', one, '-c', 'copy', '-t', String(seconds)];
  await promisify(execFile)(path, ['-v', 'error', '-y', ...loops, '-f', 'matroska', out]);
}

/** A tone of 40 ms every two seconds, as Chromium's fake microphone plays it in a loop. */
export async function makeToneFile(out: string): Promise<void> {
  const { path } = await findFfmpeg();
  const tone = `aevalsrc='if(lt(mod(t,2),0.04),0.5*sin(2*PI*1000*t),0)':s=48000:d=8`;
  await promisify(execFile)(path, ['-v', 'error', '-y', '-f', 'lavfi', '-i', tone, '-c:a', 'pcm_s16le', out]);
}

const even = (value: number) => 2 * Math.round(value / 2);
