/// <reference lib="dom" />
import type { Sighting } from './bench-live-figures.ts';

/** Not in TypeScript's DOM library. */
interface FrameReader {
  readonly readable: ReadableStream<VideoFrame>;
}
interface SoundReader {
  readonly readable: ReadableStream<AudioData>;
}
declare const MediaStreamTrackProcessor: new (init: { track: MediaStreamTrack }) => FrameReader & SoundReader;

export interface Seen {
  /** Frames of the camera itself, before any coding. */
  readonly camera: Sighting[];
  /** Frames that arrived. */
  readonly arrived: Sighting[];
  /** When a tone began at the microphone, and when it arrived. */
  readonly micMs: number[];
  readonly heardMs: number[];
}

/** What the browser's own statistics say of the two connections; times in milliseconds. */
export interface PeerReport {
  readonly sent: number;
  readonly width: number;
  readonly height: number;
  readonly sendKbps: number;
  readonly encodeMs: number;
  /** In the sender's pacer. */
  readonly sendDelayMs: number;
  readonly keyFramesSent: number;
  /** In the viewer's jitter buffer. */
  readonly jitterBufferMs: number;
  readonly decodeMs: number;
  readonly lost: number;
  readonly keyFramesAsked: number;
  /** In the sound's jitter buffer; NaN without sound. */
  readonly soundBufferMs: number;
}

interface CameraSize {
  readonly width: number;
  readonly height: number;
  readonly frameRate: number;
}

export interface PageTools {
  openCamera(withSound: boolean, video?: CameraSize): Promise<void>;
  /** Watches the camera through a plain peer connection within the page. */
  startControl(): Promise<void>;
  stopControl(): void;
  publish(stream: string): Promise<void>;
  watch(stream: string): Promise<void>;
  /** What was seen since the last call. */
  take(): Seen;
  report(): Promise<PeerReport>;
}

/**
 * What the bench does in its page. Frames are read from the tracks themselves, when the browser has them: a video element would
 * paint each one on the processor that is measured, and round its time to the screen's.
 */
export function pageTools(readStamp: (luma: Uint8Array, stride: number) => number): void {
  let seen: Seen = { camera: [], arrived: [], micMs: [], heardMs: [] };
  let media: MediaStream | undefined;
  let control: RTCPeerConnection[] = [];
  let publisher: RTCPeerConnection | undefined;
  let viewer: RTCPeerConnection | undefined;
  const buffer = new Uint8Array(128 * 32 * 4);

  const follow = async (track: MediaStreamTrack, into: 'camera' | 'arrived') => {
    const reader = new MediaStreamTrackProcessor({ track }).readable.getReader();
    for (;;) {
      const { done, value: frame } = await reader.read();
      if (done) return;
      const atMs = performance.now();
      try {
        const [luma] = await frame.copyTo(buffer, { rect: { x: 0, y: 0, width: 128, height: 32 } });
        seen[into].push([readStamp(buffer.subarray(luma!.offset), luma!.stride), atMs]);
      } catch {
        seen[into].push([-1, atMs]);
      } finally {
        frame.close();
      }
    }
  };
  /** Notes when a tone begins after silence. */
  const listen = async (track: MediaStreamTrack, into: 'micMs' | 'heardMs') => {
    const reader = new MediaStreamTrackProcessor({
      track,
    }).readable.getReader() as ReadableStreamDefaultReader<unknown>;
    let quietSinceMs = performance.now();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const sound = value as AudioData;
      const samples = new Float32Array(sound.numberOfFrames);
      sound.copyTo(samples, { planeIndex: 0, format: 'f32-planar' });
      const endMs = performance.now();
      const first = samples.findIndex((sample) => Math.abs(sample) > 0.05);
      if (first >= 0) {
        const beganMs = endMs - ((samples.length - first) * 1000) / sound.sampleRate;
        if (beganMs - quietSinceMs > 500) seen[into].push(beganMs);
        quietSinceMs = endMs;
      }
      sound.close();
    }
  };
  const received = (peer: RTCPeerConnection) => {
    peer.ontrack = ({ track }) => {
      if (track.kind === 'video') return void follow(track, 'arrived');
      // Without a player nothing asks for the sound.
      const player = new Audio();
      player.srcObject = new MediaStream([track]);
      player.muted = true;
      void player.play();
      void listen(track, 'heardMs');
    };
  };
  const addCamera = (peer: RTCPeerConnection) => {
    for (const track of media!.getTracks()) {
      const { sender } = peer.addTransceiver(track, { direction: 'sendonly', streams: [media!] });
      if (track.kind !== 'video') continue;
      // Another size in mid-call would be another case.
      const parameters = sender.getParameters() as RTCRtpSendParameters & { degradationPreference: string };
      parameters.degradationPreference = 'maintain-resolution';
      void sender.setParameters(parameters);
    }
  };
  const post = async (path: string, peer: RTCPeerConnection) => {
    await peer.setLocalDescription(await peer.createOffer());
    await new Promise<void>((done) => {
      if (peer.iceGatheringState === 'complete') done();
      peer.addEventListener('icegatheringstatechange', () => peer.iceGatheringState === 'complete' && done());
      setTimeout(done, 2000);
    });
    const headers = { 'Content-Type': 'application/sdp' };
    const response = await fetch(path, { method: 'POST', headers, body: peer.localDescription!.sdp });
    if (response.status !== 201) throw new Error(`${response.status} ${await response.text()}`);
    await peer.setRemoteDescription({ type: 'answer', sdp: await response.text() });
  };

  const tools: PageTools = {
    async openCamera(withSound, video = { width: 640, height: 480, frameRate: 30 }) {
      const audio = withSound && { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
      media = await navigator.mediaDevices.getUserMedia({ video, audio });
      void follow(media.getVideoTracks()[0]!, 'camera');
      if (withSound) void listen(media.getAudioTracks()[0]!, 'micMs');
    },
    async startControl() {
      const [from, to] = [new RTCPeerConnection(), new RTCPeerConnection()];
      control = [from, to];
      from.onicecandidate = ({ candidate }) => void (candidate && to.addIceCandidate(candidate));
      to.onicecandidate = ({ candidate }) => void (candidate && from.addIceCandidate(candidate));
      received(to);
      addCamera(from);
      await from.setLocalDescription(await from.createOffer());
      await to.setRemoteDescription(from.localDescription!);
      await to.setLocalDescription(await to.createAnswer());
      await from.setRemoteDescription(to.localDescription!);
    },
    stopControl() {
      for (const peer of control) peer.close();
    },
    async publish(stream) {
      publisher = new RTCPeerConnection();
      addCamera(publisher);
      await post(`/${stream}/whip`, publisher);
    },
    async watch(stream) {
      const peer = new RTCPeerConnection();
      viewer = peer;
      peer.addTransceiver('video', { direction: 'recvonly' });
      if (media!.getAudioTracks().length > 0) peer.addTransceiver('audio', { direction: 'recvonly' });
      received(peer);
      await post(`/${stream}/whep`, peer);
    },
    take() {
      const taken = seen;
      seen = { camera: [], arrived: [], micMs: [], heardMs: [] };
      return taken;
    },
    async report() {
      const find = async (peer: RTCPeerConnection, type: string, kind = 'video') =>
        [...(await peer.getStats()).values()].find((s) => s.type === type && s.kind === kind) ?? {};
      const sound = await find(viewer!, 'inbound-rtp', 'audio');
      const [out, inward] = [await find(publisher!, 'outbound-rtp'), await find(viewer!, 'inbound-rtp')];
      const meanMs = (seconds: number, count: number) => (seconds * 1000) / count;
      return {
        sent: out.framesSent,
        width: out.frameWidth,
        height: out.frameHeight,
        sendKbps: out.targetBitrate / 1000,
        encodeMs: meanMs(out.totalEncodeTime, out.framesEncoded),
        sendDelayMs: meanMs(out.totalPacketSendDelay, out.packetsSent),
        keyFramesSent: out.keyFramesEncoded,
        jitterBufferMs: meanMs(inward.jitterBufferDelay, inward.jitterBufferEmittedCount),
        decodeMs: meanMs(inward.totalDecodeTime, inward.framesDecoded),
        lost: inward.packetsLost,
        keyFramesAsked: inward.pliCount,
        soundBufferMs: meanMs(sound.jitterBufferDelay, sound.jitterBufferEmittedCount),
      };
    },
  };
  Object.assign(window, { tools });
}
