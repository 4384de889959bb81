import type { Observable } from 'rxjs';
import type { AudioTrack } from '../../core/audio/audio-track.ts';
import { type FfmpegTool, findFfmpeg } from '../../core/ffmpeg.ts';
import { type CodedPicture, type Depacketizer, type RtpPayload, TimestampUnwrapper } from '../../core/rtp.ts';
import { H264Depacketizer } from '../../core/rtp-h264.ts';
import { ReorderBuffer, type Reordered } from '../../core/rtp-reorder.ts';
import { Vp8Depacketizer } from '../../core/rtp-vp8.ts';
import type { PictureFormat, RawFrame } from '../../core/video-frame.ts';
import type { VideoCodecName } from '../../core/webrtc/offer.ts';
import { LiveFrames } from '../live/live-frames.ts';
import type { Source, SourceInfo } from '../source.ts';
import { CodedDecoder } from './coded-decoder.ts';
import { PublisherSound } from './publisher-sound.ts';
import type { SenderReport } from './sound-clock.ts';

export interface WebRtcSourceOptions {
  readonly codec: VideoCodecName;
  readonly inFlight: number;
  /** Size of all frames; undefined: that of the first picture. Others are scaled into it and padded. */
  readonly canvas?: { readonly width: number; readonly height: number };
  /** He sends Opus too. */
  readonly sound?: boolean;
  /** Asks the sender for a key picture (PLI). */
  readonly requestKey: () => void;
  readonly onWarning?: (sentence: string) => void;
  readonly ffmpegPath?: string;
}

const BLANK_AFTER_MS = 1000;
const BLANK_EVERY_MS = 200;
/** A sender that does not answer is asked again after this long. */
const ASK_AGAIN_MS = 500;
const TICK_MS = 40;
/** 4K with a little more: what is larger, next to nothing in the packets of one colour, would take the memory of all streams. */
const MAX_PIXELS = 4096 * 2304;
/** To start a process takes time of all streams: sizes that change faster than this wait for the next key picture. */
const NEW_DECODER_MS = 500;
/** Starting ticks, so that a timestamp a little before the first one stays positive. */
const FIRST_TICK = 90_000;

/** Pictures out of RTP packets. After a loss nothing is decoded until the next key picture. */
export class WebRtcSource implements Source {
  /** Resolves with the first key picture, which tells the size. */
  readonly opened: Promise<void>;
  readonly #options: WebRtcSourceOptions;
  readonly #tool: FfmpegTool;
  readonly #reorder = new ReorderBuffer<RtpPayload>();
  readonly #depacketizer: Depacketizer;
  readonly #clock = new TimestampUnwrapper();
  readonly #sound: PublisherSound | undefined;
  #frames: LiveFrames | undefined;
  #open: () => void = () => {};
  #decoder: CodedDecoder | undefined;
  #decoderMs = Number.NEGATIVE_INFINITY;
  #errorsBefore = 0;
  #waitsForKey = true;
  #told = false;
  #askedMs = Number.NEGATIVE_INFINITY;
  #lastPictureMs = performance.now();
  /** The decoder has ended by itself and none has given a picture since: a viewer is not left looking at the last one. */
  #gone = false;
  #lastBlankMs = 0;
  #closed = false;
  readonly #timer: NodeJS.Timeout;
  /** Losses that made a key picture necessary. */
  losses = 0;
  /** Coded pictures left out because the decoder was behind. */
  skipped = 0;

  private constructor(tool: FfmpegTool, options: WebRtcSourceOptions) {
    this.#tool = tool;
    this.#options = options;
    this.#depacketizer = options.codec === 'vp8' ? new Vp8Depacketizer() : new H264Depacketizer();
    this.opened = new Promise((resolve) => {
      this.#open = resolve;
    });
    this.#sound = options.sound ? new PublisherSound((us) => this.#frames?.timeOf(us)) : undefined;
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
  }

  static async create(options: WebRtcSourceOptions): Promise<WebRtcSource> {
    return new WebRtcSource(await findFfmpeg(options.ffmpegPath), options);
  }

  /** Known once `opened` has resolved. */
  get info(): SourceInfo {
    return { format: this.#known().format, hasAudio: this.audio !== undefined };
  }

  get audio(): AudioTrack | undefined {
    return this.#sound?.track;
  }

  get frames(): Observable<RawFrame> {
    return this.#known().frames;
  }

  /** Now on the clock of the frames' time stamps: a frame's age is the difference. */
  get elapsedUs(): number {
    return this.#frames?.elapsedUs ?? 0;
  }

  get decodeErrors(): number {
    return this.#errorsBefore + (this.#decoder?.log.errors ?? 0);
  }

  get counts() {
    return this.#frames?.counts ?? { received: 0, dropped: 0, thinned: 0, blank: 0 };
  }

  push(packet: RtpPayload): void {
    if (!this.#closed) this.#take(this.#reorder.push(packet, performance.now()));
  }

  /** A packet of Opus. */
  pushSound(packet: RtpPayload): void {
    if (!this.#closed) this.#sound?.push(packet, performance.now());
  }

  /** The sender has said how one medium's time relates to the other's. */
  report(medium: 'picture' | 'sound', report: SenderReport): void {
    this.#sound?.clock.report(medium, report);
  }

  async close(): Promise<void> {
    this.#frames?.end();
    await this.#shut();
  }

  async #shut(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#timer);
    await this.#decoder?.close();
  }

  /** The publisher is gone: viewers are left with a veiled picture, then the frames complete. */
  async end(): Promise<void> {
    this.#frames?.endVeiled();
    await this.#shut();
  }

  #known(): LiveFrames {
    if (!this.#frames) throw new Error('no picture has arrived yet: wait for `opened`');
    return this.#frames;
  }

  #take(entries: Reordered<RtpPayload>[]): void {
    for (const entry of entries) {
      if (entry === 'gap') {
        this.#depacketizer.lost();
        this.#lost();
        // A packet of padding only keeps the sequence going and carries nothing.
      } else if (entry.packet.payload.length > 0) {
        for (const picture of this.#depacketizer.push(entry.packet)) {
          if (picture === 'broken') this.#lost();
          else this.#picture(picture);
        }
      }
    }
  }

  #lost(): void {
    if (!this.#waitsForKey) this.losses++;
    this.#waitsForKey = true;
    this.#ask();
  }

  /** The decoder is behind: what comes is left out until it has caught up and a key picture comes. */
  #skip(): void {
    this.skipped++;
    this.#waitsForKey = true;
  }

  #ask(): void {
    const now = performance.now();
    if (now - this.#askedMs < ASK_AGAIN_MS) return;
    this.#askedMs = now;
    this.#options.requestKey();
  }

  #picture(picture: CodedPicture): void {
    const ticks = FIRST_TICK + this.#clock.unwrap(picture.timestamp);
    this.#sound?.clock.picture(picture, (ticks * 100) / 9, performance.now());
    if (this.#decoder?.late && !(picture.key && this.#decoder.lost)) this.#skip();
    else if (this.#waitsForKey && !picture.key) this.#ask();
    else if (ticks < 0 || (picture.key && !this.#prepare(picture))) this.#lost();
    else if (this.#decoder?.decode(picture, ticks)) this.#waitsForKey = false;
    else this.#lost();
  }

  /** A decoder for the key picture's size: ffmpeg would silently squeeze another size into the first one. */
  #prepare(picture: CodedPicture): boolean {
    const size = picture.size ?? this.#decoder?.size;
    if (!size || this.#tooLarge(size)) return false;
    if (!this.#frames) {
      const canvas = even(this.#options.canvas ?? size);
      const colour = { matrix: canvas.height >= 720 ? 'bt709' : 'bt601', range: 'limited' } as const;
      this.#frames = new LiveFrames({ ...canvas, colour }, this.#options.inFlight);
      this.#open();
    }
    const old = this.#decoder;
    if (old && !old.lost && old.size.width === size.width && old.size.height === size.height) return true;
    if (performance.now() - this.#decoderMs < NEW_DECODER_MS) return false;
    this.#decoderMs = performance.now();
    this.#errorsBefore += old?.log.errors ?? 0;
    this.#decoder = this.#startDecoder(size, this.#frames.format);
    void old?.close();
    return true;
  }

  #tooLarge({ width, height }: { width: number; height: number }): boolean {
    if (width * height <= MAX_PIXELS) return false;
    if (!this.#told)
      this.#options.onWarning?.(`the publisher’s pictures are too large (${width}x${height}): none is shown`);
    this.#told = true;
    return true;
  }

  #startDecoder(size: { width: number; height: number }, format: PictureFormat): CodedDecoder {
    const decoder: CodedDecoder = new CodedDecoder(this.#tool, this.#options.codec, size, format, {
      slot: () => (decoder === this.#decoder ? this.#frames?.tryTakeSlot() : undefined),
      onPicture: (slot, timestampUs, arrivedMs) => {
        this.#lastPictureMs = performance.now();
        this.#gone = false;
        if (slot) this.#frames?.offer(slot, timestampUs, decoder.log.isDamaged(timestampUs), arrivedMs);
      },
      onDamage: () => {
        this.#frames?.markRecentDamaged();
        this.#ask();
      },
      onEnd: () => {
        if (decoder !== this.#decoder || this.#closed) return;
        this.#errorsBefore += decoder.log.errors;
        this.#decoder = undefined;
        this.#frames?.cutBeforeNext();
        this.#gone = true;
        this.#lost();
      },
    });
    return decoder;
  }

  #tick(): void {
    const now = performance.now();
    this.#take(this.#reorder.poll(now));
    this.#sound?.poll(now);
    // A request can be lost, and the key picture that was asked for can be damaged too.
    if (this.#waitsForKey || this.#decoder?.log.needsKey) this.#ask();
    if (!this.#gone && now - this.#lastPictureMs < BLANK_AFTER_MS) return;
    if (now - this.#lastBlankMs < BLANK_EVERY_MS) return;
    this.#lastBlankMs = now;
    this.#frames?.offerBlank();
  }
}

/** 4:2:0 encoders want even sizes. */
function even({ width, height }: { width: number; height: number }): { width: number; height: number } {
  return { width: Math.max(2, width & ~1), height: Math.max(2, height & ~1) };
}
