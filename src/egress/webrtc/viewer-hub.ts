import type { AudioPacket } from '../../core/audio/audio-track.ts';
import type { FfmpegTool } from '../../core/ffmpeg.ts';
import { packetizeH264 } from '../../core/rtp-h264.ts';
import { packetizeVp8 } from '../../core/rtp-vp8.ts';
import { SealedFrame } from '../../core/video-frame.ts';
import type { VideoCodecName } from '../../core/webrtc/offer.ts';
import type { Sink } from '../sink.ts';
import { CodedEncoder, type EncodedPicture } from './coded-encoder.ts';
import { DelayedAudio } from './delayed-audio.ts';
import type { OpusPacket, Viewer } from './viewer.ts';

export interface ViewerHubOptions {
  /** Bit rates to choose from, kbit/s, ascending. */
  readonly rungsKbps: readonly number[];
  /** A viewer that can take less than this does not hold the others back, and is left out in the end. */
  readonly minKbps: number;
  readonly onWarning?: (sentence: string) => void;
}

/** RTP's clock for Opus is 48 kHz. */
const OPUS_TICKS_PER_US = 0.048;
/** And for pictures 90 kHz. */
const TICKS_PER_US = 0.09;
const RUNG_CHECK_MS = 2000;
/** A higher bit rate has to fit this often in a row: each change starts the encoder again with a key picture. */
const CHECKS_BEFORE_UP = 4;
/** A viewer that takes less than the minimum, and less than it is sent, this often in a row is left out. */
const CHECKS_BEFORE_OUT = 5;
/** What the way to a viewer that is too slow for what it is sent shows: this share of packets lost, or a queue this long. */
const SLOW_LOSS = 0.05;
const SLOW_ROUND_TRIP_MS = 1000;
const FIRST_BACKOFF_MS = 200;
const MAX_BACKOFF_MS = 5000;

interface Encoding {
  encoder: CodedEncoder | undefined;
  pictureId: number;
  /** Coded since the last look. */
  bytes: number;
  fitsMore: number;
  backoffMs: number;
  retryAtMs: number;
}

/** All viewers of one stream. One encoder per codec in use, started with its first viewer and ended with its last. */
export class ViewerHub implements Sink {
  readonly #tool: FfmpegTool;
  readonly #options: ViewerHubOptions;
  readonly #viewers = new Set<Viewer>();
  readonly #encodings = new Map<VideoCodecName, Encoding>();
  readonly #audio = new DelayedAudio<OpusPacket>((packet) => {
    for (const viewer of this.#viewers) viewer.sendAudio(packet);
  });
  readonly #timer: NodeJS.Timeout;
  readonly #slow = new WeakMap<Viewer, number>();
  /** Age in milliseconds of a frame that leaves now; undefined while nobody knows the source's clock. */
  #ageOf: ((timestampUs: number) => number) | undefined;
  frames = 0;
  dropped = 0;
  encoderRestarts = 0;
  #closed = false;
  #finishing = false;
  /** The viewers' clock goes on from one publisher to the next: a browser drops pictures from its past. */
  #baseUs = 0;
  #lastUs = 0;
  #lastMs = performance.now();
  onLatency: ((latencyMs: number) => void) | undefined;
  /** Told, of each coded picture, how old it will be at the slowest viewer: its age as it is sent and half a round trip. */
  onSent: ((ageMs: number) => void) | undefined;

  constructor(tool: FfmpegTool, options: ViewerHubOptions) {
    this.#tool = tool;
    this.#options = options;
    this.#timer = setInterval(() => this.#checkRungs(), RUNG_CHECK_MS).unref();
  }

  get viewers(): number {
    return this.#viewers.size;
  }

  get audioDelayMs(): number {
    return this.#audio.delayMs;
  }

  add(viewer: Viewer): void {
    this.#viewers.add(viewer);
    this.requestKey(viewer.codec);
  }

  remove(viewer: Viewer): void {
    this.#viewers.delete(viewer);
    const { codec } = viewer;
    if ([...this.#viewers].some((other) => other.codec === codec)) return;
    const encoding = this.#encodings.get(codec);
    this.#encodings.delete(codec);
    const encoder = encoding?.encoder;
    // Ended on purpose: nothing to be told of.
    if (encoding) encoding.encoder = undefined;
    void encoder?.close();
  }

  requestKey(codec: VideoCodecName): void {
    this.#encodings.get(codec)?.encoder?.requestKey();
  }

  /** A new publisher's frames, whose time stamps begin at 0 again. */
  begin(ageOf: ((timestampUs: number) => number) | undefined): void {
    this.#ageOf = ageOf;
    this.#baseUs = this.frames === 0 ? 0 : this.#lastUs + Math.round((performance.now() - this.#lastMs) * 1000);
  }

  /** Opus on the clock of the frames: it leaves together with the picture of its time. */
  pushTimedAudio({ timestampUs, data }: AudioPacket): void {
    if (!this.#ageOf) return;
    const timeUs = this.#baseUs + timestampUs;
    const timestamp = Math.round(timeUs * OPUS_TICKS_PER_US) >>> 0;
    this.#audio.push({ timestamp, marker: false, payload: data, timeUs }, performance.now() - this.#ageOf(timestampUs));
  }

  async write(frame: SealedFrame): Promise<void> {
    if (!SealedFrame.isSealed(frame)) throw new Error('only a SealedFrame may leave');
    this.frames++;
    try {
      const codecs = new Set([...this.#viewers].filter((viewer) => viewer.connected).map((viewer) => viewer.codec));
      const timestampUs = this.#baseUs + frame.timestampUs;
      this.#lastUs = timestampUs;
      this.#lastMs = performance.now();
      const latencyMs = this.#ageOf?.(frame.timestampUs);
      if (latencyMs !== undefined) {
        this.#audio.measured(latencyMs);
        this.onLatency?.(latencyMs);
      }
      // All of them, also when one fails: the slot may be used again only when no encoder is still being sent it.
      const taken = await Promise.allSettled(
        [...codecs].map(async (codec) => this.#encoder(codec, frame)?.encode(frame, timestampUs) ?? false),
      );
      const failed = taken.find((one) => one.status === 'rejected');
      if (failed) throw failed.reason;
      if (taken.some((one) => one.status === 'fulfilled' && !one.value)) this.dropped++;
    } finally {
      frame.close();
    }
  }

  /** The publisher has left; viewers stay for the next one. */
  async finish(): Promise<void> {
    this.#audio.close();
    this.#ageOf = undefined;
    this.#finishing = true;
    await Promise.all([...this.#encodings.values()].map((encoding) => encoding.encoder?.finish()));
    this.#finishing = false;
    this.#encodings.clear();
  }

  abort(): Promise<void> {
    return this.finish();
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#timer);
    await this.finish();
    await Promise.all([...this.#viewers].map((viewer) => viewer.peer.close()));
    this.#viewers.clear();
  }

  #encoder(codec: VideoCodecName, frame: SealedFrame): CodedEncoder | undefined {
    let encoding = this.#encodings.get(codec);
    if (!encoding) {
      encoding = { encoder: undefined, pictureId: 0, bytes: 0, fitsMore: 0, backoffMs: FIRST_BACKOFF_MS, retryAtMs: 0 };
      this.#encodings.set(codec, encoding);
    }
    const { width, height } = frame.format;
    const running = encoding.encoder;
    if (running && running.format.width === width && running.format.height === height) return running;
    if (performance.now() < encoding.retryAtMs || this.#closed) return undefined;
    return this.#start(codec, encoding, frame.format, this.#rung(codec));
  }

  #start(codec: VideoCodecName, encoding: Encoding, format: SealedFrame['format'], kbps: number): CodedEncoder {
    const old = encoding.encoder;
    const encoder: CodedEncoder = new CodedEncoder(this.#tool, codec, format, kbps, {
      onPicture: (picture) => {
        if (encoding.encoder !== encoder) return;
        encoding.backoffMs = FIRST_BACKOFF_MS;
        this.#send(codec, encoding, picture);
      },
      onEnd: () => {
        if (encoding.encoder !== encoder || this.#finishing) return;
        encoding.encoder = undefined;
        encoding.retryAtMs = performance.now() + encoding.backoffMs;
        encoding.backoffMs = Math.min(encoding.backoffMs * 2, MAX_BACKOFF_MS);
        this.encoderRestarts++;
        this.#options.onWarning?.(`the ${codec} encoder ended; it is being started again`);
      },
    });
    encoding.encoder = encoder;
    for (const viewer of this.#viewers) if (viewer.codec === codec) viewer.restart();
    void old?.close();
    return encoder;
  }

  #send(codec: VideoCodecName, encoding: Encoding, picture: EncodedPicture): void {
    encoding.bytes += picture.data.length;
    encoding.pictureId = (encoding.pictureId + 1) & 0x7fff;
    const payloads = codec === 'vp8' ? packetizeVp8(picture.data, encoding.pictureId) : packetizeH264(picture.data);
    let roundTripMs = 0;
    for (const viewer of this.#viewers) {
      if (viewer.codec !== codec) continue;
      viewer.sendPicture(payloads, picture.ticks, picture.key);
      roundTripMs = Math.max(roundTripMs, viewer.roundTripMs);
    }
    const ageMs = this.#ageOf?.(picture.ticks / TICKS_PER_US - this.#baseUs);
    if (ageMs !== undefined) this.onSent?.(ageMs + roundTripMs / 2);
  }

  /** The highest bit rate that the slowest viewer above the minimum can take. */
  #rung(codec: VideoCodecName): number {
    const { rungsKbps, minKbps } = this.#options;
    const estimates = [...this.#viewers]
      .filter((viewer) => viewer.codec === codec && viewer.connected)
      .map((viewer) => viewer.estimateKbps)
      .filter((kbps) => kbps !== undefined && kbps >= minKbps) as number[];
    const slowest = estimates.length > 0 ? Math.min(...estimates) : Number.POSITIVE_INFINITY;
    const fitting = rungsKbps.filter((kbps) => kbps <= slowest);
    return estimates.length === 0 ? (rungsKbps[1] ?? rungsKbps[0]!) : (fitting.at(-1) ?? rungsKbps[0]!);
  }

  /**
   * A veiled picture is next to nothing, and an estimate made of it says as little: only who takes less than is sent is slow. Nor is a low estimate enough:
   * where pictures come unevenly, as from a machine with much else to do, a browser's falls to tens of kbit/s although every packet arrives.
   */
  #checkSlow(codec: VideoCodecName, sentKbps: number): void {
    for (const viewer of this.#viewers) {
      if (viewer.codec !== codec) continue;
      const { estimateKbps = Number.POSITIVE_INFINITY } = viewer;
      const suffers = viewer.takeMostLost() >= SLOW_LOSS || viewer.roundTripMs >= SLOW_ROUND_TRIP_MS;
      const slow = suffers && estimateKbps < Math.min(sentKbps, this.#options.minKbps);
      const times = slow ? (this.#slow.get(viewer) ?? 0) + 1 : 0;
      this.#slow.set(viewer, times);
      if (times >= CHECKS_BEFORE_OUT) viewer.onTooSlow?.();
    }
  }

  #checkRungs(): void {
    // An encoder started now would be forgotten with those that are being ended, and never end.
    if (this.#finishing) return;
    for (const [codec, encoding] of this.#encodings) {
      this.#checkSlow(codec, (encoding.bytes * 8) / RUNG_CHECK_MS);
      encoding.bytes = 0;
      const { encoder } = encoding;
      if (!encoder) continue;
      const kbps = this.#rung(codec);
      encoding.fitsMore = kbps > encoder.kbps ? encoding.fitsMore + 1 : 0;
      if (kbps < encoder.kbps || encoding.fitsMore >= CHECKS_BEFORE_UP) {
        encoding.fitsMore = 0;
        this.#start(codec, encoding, encoder.format, kbps);
      }
    }
  }
}
