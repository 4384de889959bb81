/// <reference lib="dom" />
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BrowserContext, chromium, type Page } from 'playwright-core';
import { PNG } from 'pngjs';

const PATHS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
export const chromiumPath = PATHS.find((path) => existsSync(path));

/** One frame as a browser showed it. */
export interface ShownFrame {
  readonly width: number;
  readonly height: number;
  readonly rgba: Uint8Array;
}

export interface PublishOptions {
  readonly token?: string;
  readonly width: number;
  readonly height: number;
  readonly frameRate?: number;
  readonly codec?: 'VP8' | 'H264';
}

/** What the tests do in a page: publish the (fake) camera by WHIP, watch by WHEP and keep the frames that are shown. */
function pageTools(): void {
  const post = async (path: string, peer: RTCPeerConnection, token?: string) => {
    await peer.setLocalDescription(await peer.createOffer());
    await new Promise<void>((done) => {
      if (peer.iceGatheringState === 'complete') done();
      peer.addEventListener('icegatheringstatechange', () => peer.iceGatheringState === 'complete' && done());
      setTimeout(done, 2000);
    });
    const headers = { 'Content-Type': 'application/sdp', ...(token && { Authorization: `Bearer ${token}` }) };
    const response = await fetch(path, { method: 'POST', headers, body: peer.localDescription!.sdp });
    if (response.status !== 201) throw new Error(`${response.status} ${await response.text()}`);
    const answer = await response.text();
    await peer.setRemoteDescription({ type: 'answer', sdp: answer });
    return { location: response.headers.get('Location')!, headers, answer };
  };
  const prefer = (transceiver: RTCRtpTransceiver, codec: string | undefined) => {
    const all = RTCRtpReceiver.getCapabilities('video')!.codecs;
    if (codec) transceiver.setCodecPreferences(all.filter((c) => c.mimeType === `video/${codec}`));
  };
  const state: Record<string, unknown> = {};
  const tools = {
    async publish(stream: string, options: PublishOptions) {
      const { width, height, frameRate = 15 } = options;
      const media = await navigator.mediaDevices.getUserMedia({ video: { width, height, frameRate } });
      const peer = new RTCPeerConnection();
      const [track] = media.getVideoTracks();
      const transceiver = peer.addTransceiver(track!, { direction: 'sendonly', streams: [media] });
      prefer(transceiver, options.codec);
      const made = await post(`/${stream}/whip`, peer, options.token);
      Object.assign(state, { peer, media, track, sender: transceiver.sender, ...made });
    },
    async stopPublishing() {
      const { peer, media, location, headers } = state as {
        peer: RTCPeerConnection;
        media: MediaStream;
        location: string;
        headers: HeadersInit;
      };
      peer.close();
      for (const track of media.getTracks()) track.stop();
      await fetch(location, { method: 'DELETE', headers });
    },
    mute(muted: boolean) {
      (state.track as MediaStreamTrack).enabled = !muted;
    },
    /** Another camera picture or size in mid-call, as a page does it. */
    async replace(width: number, height: number) {
      (state.track as MediaStreamTrack).stop();
      const media = await navigator.mediaDevices.getUserMedia({ video: { width, height, frameRate: 15 } });
      [state.track] = media.getVideoTracks();
      state.media = media;
      await (state.sender as RTCRtpSender).replaceTrack(state.track as MediaStreamTrack);
    },
    async watch(stream: string, token?: string, codec?: string) {
      const peer = new RTCPeerConnection();
      prefer(peer.addTransceiver('video', { direction: 'recvonly' }), codec);
      const video = document.createElement('video');
      video.muted = true;
      video.playsInline = true;
      video.autoplay = true;
      document.body.replaceChildren(video);
      peer.ontrack = ({ track }) => {
        video.srcObject = new MediaStream([track]);
        void video.play();
      };
      const made = await post(`/${stream}/whep`, peer, token);
      Object.assign(state, { viewer: peer, video, view: made });
      tools.keepFrames(video);
    },
    keepFrames(video: HTMLVideoElement) {
      const frames: string[] = [];
      state.frames = frames;
      state.shown = 0;
      const canvas = document.createElement('canvas');
      const onFrame = () => {
        state.shown = (state.shown as number) + 1;
        canvas.width = video.videoWidth;
        canvas.height = video.videoHeight;
        const context = canvas.getContext('2d', { willReadFrequently: true })!;
        context.drawImage(video, 0, 0);
        frames.push(canvas.toDataURL('image/png'));
        if (frames.length > 400) frames.shift();
        video.requestVideoFrameCallback(onFrame);
      };
      video.requestVideoFrameCallback(onFrame);
    },
    answers: () => [state.answer, (state.view as { answer: string } | undefined)?.answer].map((sdp) => `${sdp ?? ''}`),
    shown: () => (state.shown as number | undefined) ?? 0,
    take() {
      const frames = (state.frames as string[] | undefined) ?? [];
      return frames.splice(0);
    },
  };
  (window as unknown as { tools: typeof tools }).tools = tools;
}

/** Chromium plays a file as one camera only: gives the page a second one, whose picture is the first's with a green band below. */
function addSecondCamera(id: string): void {
  const { mediaDevices } = navigator;
  const list = mediaDevices.enumerateDevices.bind(mediaDevices);
  const open = mediaDevices.getUserMedia.bind(mediaDevices);
  mediaDevices.enumerateDevices = async () => {
    const second = { kind: 'videoinput', deviceId: id, label: 'second', groupId: '' } as MediaDeviceInfo;
    return [...(await list()), second];
  };
  mediaDevices.getUserMedia = async (wanted) => {
    const video = wanted?.video as MediaTrackConstraints | undefined;
    const media = await open(wanted?.video ? { ...wanted, video: { ...video, deviceId: '' } } : wanted);
    if (video?.deviceId !== id) return media;
    const [camera] = media.getVideoTracks();
    const shown = document.createElement('video');
    shown.srcObject = new MediaStream([camera!]);
    await shown.play();
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [shown.videoWidth, shown.videoHeight];
    const context = canvas.getContext('2d')!;
    const draw = () => {
      context.drawImage(shown, 0, 0);
      context.fillStyle = 'rgb(0, 200, 0)';
      context.fillRect(0, 0.95 * canvas.height, canvas.width, canvas.height);
      shown.requestVideoFrameCallback(draw);
    };
    draw();
    const [track] = canvas.captureStream().getVideoTracks();
    track!.getSettings = () => ({ deviceId: id, width: canvas.width, height: canvas.height });
    return new MediaStream([track!, ...media.getAudioTracks()]);
  };
}

type Tools = {
  publish(stream: string, options: PublishOptions): Promise<void>;
  stopPublishing(): Promise<void>;
  mute(muted: boolean): void;
  replace(width: number, height: number): Promise<void>;
  watch(stream: string, token?: string, codec?: string): Promise<void>;
  answers(): string[];
  keepFrames(video: HTMLVideoElement): void;
  shown(): number;
  take(): string[];
};
type ToolsWindow = { tools: Tools };

/** A headless Chromium of its own whose camera plays a clip. */
export class Browser {
  readonly page: Page;
  readonly #context: BrowserContext;
  readonly #profile: string;

  private constructor(context: BrowserContext, page: Page, profile: string) {
    this.#context = context;
    this.page = page;
    this.#profile = profile;
  }

  /** @param camera an MJPEG file @param url page to open: its origin must be the server's */
  static async open(camera: string, url: string): Promise<Browser> {
    const profile = mkdtempSync(join(tmpdir(), 'understudy-chromium-'));
    const context = await chromium.launchPersistentContext(profile, {
      executablePath: chromiumPath!,
      headless: true,
      ignoreHTTPSErrors: true,
      args: [
        ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'],
        ...['--disable-component-update', '--disable-sync', '--autoplay-policy=no-user-gesture-required'],
        ...['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'],
        `--use-file-for-fake-video-capture=${camera}`,
      ],
      permissions: ['camera', 'microphone'],
    });
    const page = context.pages()[0] ?? (await context.newPage());
    await page.goto(url);
    // The TypeScript loader wraps named functions in a helper that the page does not have.
    await page.evaluate('globalThis.__name = (f) => f');
    await page.evaluate(pageTools);
    return new Browser(context, page, profile);
  }

  /** For the page's own camera choice. */
  addCamera(id: string): Promise<void> {
    return this.page.evaluate(addSecondCamera, id);
  }

  publish(stream: string, options: PublishOptions): Promise<void> {
    return this.page.evaluate(([name, given]) => (window as unknown as ToolsWindow).tools.publish(name, given), [
      stream,
      options,
    ] as const);
  }

  stopPublishing(): Promise<void> {
    return this.page.evaluate(() => (window as unknown as ToolsWindow).tools.stopPublishing());
  }

  mute(muted: boolean): Promise<void> {
    return this.page.evaluate((value) => (window as unknown as ToolsWindow).tools.mute(value), muted);
  }

  replace(width: number, height: number): Promise<void> {
    return this.page.evaluate(([w, h]) => (window as unknown as ToolsWindow).tools.replace(w, h), [
      width,
      height,
    ] as const);
  }

  watch(stream: string, token?: string, codec?: PublishOptions['codec']): Promise<void> {
    return this.page.evaluate(
      ([name, secret, wanted]) => (window as unknown as ToolsWindow).tools.watch(name!, secret, wanted),
      [stream, token, codec] as const,
    );
  }

  /** The server's SDP answers to this page's publishing and watching. */
  answers(): Promise<string[]> {
    return this.page.evaluate(() => (window as unknown as ToolsWindow).tools.answers());
  }

  /** Keeps what a video element of the page itself shows. */
  keepFramesOf(selector: string): Promise<void> {
    return this.page.evaluate(
      (of) => (window as unknown as ToolsWindow).tools.keepFrames(document.querySelector(of) as HTMLVideoElement),
      selector,
    );
  }

  /** Frames shown since the page began to watch. */
  shown(): Promise<number> {
    return this.page.evaluate(() => (window as unknown as ToolsWindow).tools.shown());
  }

  /** The frames shown since the last call, each one, oldest first. */
  async take(): Promise<ShownFrame[]> {
    const urls = await this.page.evaluate(() => (window as unknown as ToolsWindow).tools.take());
    return urls.map((url) => {
      const png = PNG.sync.read(Buffer.from(url.slice(url.indexOf(',') + 1), 'base64'));
      return { width: png.width, height: png.height, rgba: png.data };
    });
  }

  async close(): Promise<void> {
    await this.#context.close();
    rmSync(this.#profile, { recursive: true, force: true });
  }
}
