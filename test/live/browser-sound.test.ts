/// <reference lib="dom" />
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { Browser, chromiumPath } from './browser.ts';
import { skews, streamsOf } from './flash.ts';
import { ServeProcess } from './serve-process.ts';
import { temporaryFolder, until } from './support.ts';
import { WhepViewer } from './whep-viewer.ts';

const MAX_SKEW_MS = 80;

/** Publishes a canvas that flashes for 100 ms every two seconds, and a tone at the same moments. */
async function publishFlashes(path: string): Promise<void> {
  const audio = new AudioContext();
  await audio.resume();
  const out = audio.createMediaStreamDestination();
  const tone = new OscillatorNode(audio, { frequency: 1000 });
  const volume = new GainNode(audio, { gain: 0 });
  tone.connect(volume).connect(out);
  tone.start();
  const first = audio.currentTime + 1;
  for (let i = 0; i < 30; i++) {
    volume.gain.setValueAtTime(0.8, first + 2 * i);
    volume.gain.setValueAtTime(0, first + 2 * i + 0.1);
  }
  const canvas = Object.assign(document.createElement('canvas'), { width: 320, height: 240 });
  const context = canvas.getContext('2d')!;
  setInterval(() => {
    const since = audio.currentTime - first;
    context.fillStyle = since >= 0 && since % 2 < 0.1 ? '#eee' : '#444';
    context.fillRect(0, 0, canvas.width, canvas.height);
  }, 20);
  const media = new MediaStream([...canvas.captureStream(25).getTracks(), ...out.stream.getTracks()]);
  const peer = new RTCPeerConnection();
  for (const track of media.getTracks()) peer.addTransceiver(track, { direction: 'sendonly', streams: [media] });
  await peer.setLocalDescription(await peer.createOffer());
  await new Promise<void>((done) => {
    peer.addEventListener('icegatheringstatechange', () => peer.iceGatheringState === 'complete' && done());
    setTimeout(done, 2000);
  });
  const body = peer.localDescription!.sdp;
  const response = await fetch(path, { method: 'POST', headers: { 'Content-Type': 'application/sdp' }, body });
  await peer.setRemoteDescription({ type: 'answer', sdp: await response.text() });
  Object.assign(window, { publishing: { peer, audio } });
}

it.skipIf(!chromiumPath)('a browser’s sound is in sync in a recording and for a viewer (needs chromium)', async () => {
  const folder = temporaryFolder();
  const camera = join(folder, 'unused.mjpeg');
  execFileSync('ffmpeg', ['-v', 'error', '-f', 'lavfi', '-i', 'color=gray:s=320x240:d=1', '-c:v', 'mjpeg', camera]);
  const recordings = join(folder, 'recorded');
  const server = await ServeProcess.start({ serve: { streams: { call: { recordTo: recordings } } } });
  let browser: Browser | undefined;
  try {
    browser = await Browser.open(camera, `${server.base}/demo`);
    const viewer = await WhepViewer.watch(`${server.base}/call/whep`);
    await browser.page.evaluate(publishFlashes, '/call/whip');
    await until(() => viewer.video.length > 30 && viewer.audio.length > 30, 60_000, 'pictures and sound');
    await new Promise((resolve) => setTimeout(resolve, 10_000));
    await viewer.close();
    await browser.close();
    browser = undefined;
    expect(await server.stop()).toBe(0);
    const recording = join(recordings, readdirSync(recordings)[0]!);
    expect(streamsOf(recording)).toEqual(['audio opus', 'video h264']);
    for (const found of [viewer.skews(), skews(recording)]) {
      console.info(`sound later than the picture, ms: ${found.map(Math.round).join(' ')}`);
      expect(found.length).toBeGreaterThanOrEqual(2);
      // One picture may be late on a busy machine.
      const middle = [...found].sort((a, b) => a - b)[found.length >> 1]!;
      expect(Math.abs(middle)).toBeLessThan(MAX_SKEW_MS);
    }
  } finally {
    await browser?.close();
    server.child.kill('SIGKILL');
  }
});
