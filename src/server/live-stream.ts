import { type RTCRtpTransceiver, RtcpSrPacket } from 'werift';
import { deliverAudio } from '../core/audio/deliver.ts';
import type { FfmpegTool } from '../core/ffmpeg.ts';
import type { VideoCodecName } from '../core/webrtc/offer.ts';
import { answerOffer, type Negotiated } from '../core/webrtc/peer.ts';
import { encodable } from '../egress/webrtc/coded-encoder.ts';
import { Viewer } from '../egress/webrtc/viewer.ts';
import { ViewerHub } from '../egress/webrtc/viewer-hub.ts';
import { BlankSource } from '../ingest/live/blank-source.ts';
import { WebRtcSource } from '../ingest/webrtc/webrtc-source.ts';
import { OverloadWatch } from '../pipeline/overload-watch.ts';
import type { LiveStreamOptions, RunPipeline } from './live-stream-options.ts';
import { HttpProblem } from './problem.ts';
import { Session } from './session.ts';
import { type CountedSource, RateMeter, StreamCounters } from './stream-counters.ts';

/** Of the veil for viewers who come before the first publisher. */
const WAITING_FORMAT = { width: 640, height: 360, colour: { matrix: 'bt601', range: 'limited' } } as const;

/** One named stream: at most one publisher, any number of viewers, and the pipeline between them. */
export class LiveStream {
  readonly name: string;
  readonly streamId: number;
  readonly hub: ViewerHub;
  readonly sessions = new Map<string, Session>();
  readonly #tool: FfmpegTool;
  readonly #run: RunPipeline;
  readonly #options: LiveStreamOptions;
  /** A symbol: somebody who is arriving, or the source of the settings. */
  #publisher: Session | symbol | undefined;
  #source: CountedSource | undefined;
  #running: Promise<void> = Promise.resolve();
  /** Pipelines of publishers that run, or wait for the one before to end. */
  #pipelines = 0;
  #waiting: BlankSource | undefined;
  readonly #stop = new AbortController();
  readonly counters = new StreamCounters();
  /** Pictures that arrive and frames that leave, a second. */
  readonly fps: { readonly in: RateMeter; readonly out: RateMeter };
  failures = 0;
  /** The settings name a source: nobody may publish. */
  fed = false;

  constructor(name: string, streamId: number, tool: FfmpegTool, run: RunPipeline, options: LiveStreamOptions) {
    this.name = name;
    this.streamId = streamId;
    this.#tool = tool;
    this.#run = run;
    this.#options = options;
    this.hub = new ViewerHub(tool, options);
    this.hub.onLatency = (ms) => options.stats.latency(ms);
    this.hub.onSent = (ms) => options.stats.glassToGlass(ms);
    this.fps = {
      in: new RateMeter(() => this.counters.total.received),
      out: new RateMeter(() => this.hub.frames),
    };
  }

  /** Frames left out because they were too old. */
  get late(): number {
    return this.#options.stats.late;
  }

  get publishing(): boolean {
    return this.#publisher !== undefined;
  }

  /** @throws HttpProblem(409) when there is a publisher, UnderstudyError for a bad offer */
  async publish(offer: string): Promise<{ session: Session; answer: string }> {
    if (this.fed) throw this.#isFed();
    if (this.#publisher) {
      throw new HttpProblem(
        409,
        `the stream ${this.name} has a publisher already`,
        'end it first, or use another stream',
      );
    }
    const arriving = Symbol('arriving');
    this.#publisher = arriving;
    try {
      const negotiated = await this.#answer(offer, 'publish');
      const source = await this.#receive(negotiated);
      // The settings have named a source meanwhile.
      if (this.#publisher !== arriving) {
        await Promise.all([negotiated.peer.close(), source.close()]);
        throw this.#isFed();
      }
      const session: Session = new Session('whip', negotiated.peer, (reason) => {
        this.#forget(session, reason);
        this.#publisher = undefined;
        void source.end();
      });
      this.#publisher = session;
      this.sessions.set(session.id, session);
      this.#options.log('publisher', { stream: this.name, codec: negotiated.offer.codec });
      void this.#runFrom(source, session);
      return { session, answer: negotiated.answer };
    } catch (error) {
      if (this.#publisher === arriving) this.#publisher = undefined;
      throw error;
    }
  }

  #isFed(): HttpProblem {
    return new HttpProblem(409, `the stream ${this.name} is fed by the settings`, 'publish to another stream');
  }

  /** @throws UnderstudyError for a bad offer, or when there is no encoder */
  async view(offer: string): Promise<{ session: Session; answer: string }> {
    const negotiated = await this.#answer(offer, 'view', encodable(this.#tool));
    const { peer, answer, video, audio, offer: read } = negotiated;
    const viewer = new Viewer(read.codec, peer, video, audio, () => this.hub.requestKey(read.codec));
    const session: Session = new Session('whep', peer, (reason) => {
      this.#forget(session, reason);
      this.hub.remove(viewer);
      if (this.hub.viewers === 0) void this.#waiting?.close();
    });
    viewer.onTooSlow = () => void session.close('it takes less than serve.minBitrateKbps');
    this.sessions.set(session.id, session);
    this.hub.add(viewer);
    this.#veilWhileWaiting();
    this.#options.log('viewer', { stream: this.name, codec: read.codec });
    return { session, answer };
  }

  /** @throws HttpProblem(404) when the stream has been closed meanwhile: nobody would ever end the session */
  async #answer(offer: string, purpose: 'publish' | 'view', codecs?: readonly VideoCodecName[]): Promise<Negotiated> {
    const negotiated = await answerOffer(offer, purpose, this.#options.peer, codecs);
    if (!this.#stop.signal.aborted) return negotiated;
    await negotiated.peer.close();
    throw new HttpProblem(404, `the stream ${this.name} has been taken away`, 'use another stream');
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await Promise.all([...this.sessions.values()].map((session) => session.close('the server is stopping')));
    await this.#source?.close();
    await this.#waiting?.close();
    await this.#running;
    await this.hub.close();
    this.fps.in.close();
    this.fps.out.close();
  }

  /** Feeds the stream from a source that the configuration names. Resolves when it ends. */
  async feed(source: CountedSource): Promise<void> {
    // Somebody who published before the settings named a source has to make room.
    if (this.#publisher instanceof Session) await this.#publisher.close('the stream is fed by the settings now');
    const fed = Symbol('fed');
    this.#publisher = fed;
    try {
      await this.#pipeline(source);
    } finally {
      if (this.#publisher === fed) this.#publisher = undefined;
    }
  }

  async #receive({ offer, video, audio }: Negotiated): Promise<WebRtcSource> {
    const source = await WebRtcSource.create({
      codec: offer.codec,
      inFlight: this.#options.inFlight,
      ...(this.#options.canvas && { canvas: this.#options.canvas }),
      sound: audio !== undefined && this.#options.passAudio,
      requestKey: () => askForKey(video),
      onWarning: (sentence) => this.#options.log('warning', { stream: this.name, sentence }),
    });
    video.receiver.track.onReceiveRtp.subscribe(({ header, payload }) => {
      const { sequenceNumber, timestamp, marker } = header;
      source.push({ sequenceNumber, timestamp, marker, payload });
    });
    audio?.receiver.track.onReceiveRtp.subscribe(({ header, payload }) => {
      // Sound goes on as it comes: packets of pictures, sent by error or on purpose as sound, must not.
      if (header.payloadType !== offer.opusPayload) return;
      if (!this.#options.passAudio || this.#source !== source) return;
      const { sequenceNumber, timestamp, marker } = header;
      source.pushSound({ sequenceNumber, timestamp, marker, payload });
    });
    for (const [medium, transceiver] of [
      ['picture', video],
      ['sound', audio],
    ] as const) {
      transceiver?.receiver.onRtcp.subscribe((packet) => {
        if (packet instanceof RtcpSrPacket) source.report(medium, packet.senderInfo);
      });
    }
    return source;
  }

  async #runFrom(source: WebRtcSource, session: Session): Promise<void> {
    await source.opened;
    this.#options.log('first picture', { stream: this.name, ...source.info.format });
    await this.#pipeline(source);
    await session.close('the stream has ended');
  }

  /** One stream's failure is its own: it ends here, and the next publisher starts afresh. */
  async #pipeline(source: CountedSource): Promise<void> {
    const { name, streamId } = this;
    const { stats } = this.#options;
    const before = this.#running;
    this.#pipelines++;
    void this.#waiting?.close();
    this.#running = (async () => {
      await before;
      // Only now: until the publisher before has been drained, clock and sound are still his.
      this.#source = source;
      this.counters.follow(source);
      stats.begin();
      // Sound waits as long as the picture takes.
      this.hub.begin((timestampUs) => (source.elapsedUs - timestampUs) / 1000);
      if (source.audio) source.audio.onDrop = (reason) => stats.soundDropped(reason);
      const endAudio = this.#passAudio(source);
      const watch = new OverloadWatch(source, (sentence) => this.#options.log('warning', { stream: name, sentence }));
      try {
        await this.#run({
          name,
          streamId,
          source,
          sink: this.hub,
          stop: this.#stop.signal,
          stats,
          detail: () => watch.detail,
        });
      } catch (error) {
        this.failures++;
        this.#options.log('pipeline failed', {
          stream: name,
          error: error instanceof Error ? error.message : 'unknown',
        });
        await source.close();
        await this.hub.abort();
      } finally {
        watch.close();
        await endAudio();
        this.#pipelines--;
      }
    })();
    await this.#running;
    this.#veilWhileWaiting();
  }

  /** Viewers see veiled frames until there is a publisher, of the size of the one before. */
  #veilWhileWaiting(): void {
    if (this.#waiting || this.#pipelines > 0 || this.hub.viewers === 0 || this.#stop.signal.aborted) return;
    const source = new BlankSource(this.#source?.info.format ?? { ...WAITING_FORMAT, ...this.#options.canvas });
    this.#waiting = source;
    const { name, streamId } = this;
    const { stats } = this.#options;
    const before = this.#running;
    this.#running = (async () => {
      await before;
      try {
        if (source.ended) return;
        stats.begin();
        this.hub.begin(undefined);
        const { signal: stop } = this.#stop;
        await this.#run({ name, streamId, source, sink: this.hub, stop, stats, detail: () => true, viewersOnly: true });
      } catch {
        // Who waits sees nothing then, as he would without a veil.
        this.failures++;
        await this.hub.abort();
      } finally {
        await source.close();
        this.#waiting = undefined;
      }
    })();
  }

  /** Other sound than Opus becomes Opus for the viewers. The pictures do not wait for it. @returns ends it */
  #passAudio({ audio }: CountedSource): () => Promise<void> {
    if (!audio || !this.#options.passAudio) return () => Promise.resolve();
    const delivery = deliverAudio(this.#tool, audio, ['opus'], 'opus').then((delivered) => {
      if (!delivered) this.#options.log('no sound', { stream: this.name, reason: 'it cannot be encoded as Opus' });
      const unsubscribe = delivered?.track.subscribe((packet) => this.hub.pushTimedAudio(packet));
      return async () => {
        unsubscribe?.();
        await delivered?.close();
      };
    });
    return async () => (await delivery)();
  }

  #forget(session: Session, reason: string): void {
    this.sessions.delete(session.id);
    this.#options.log('session ended', { stream: this.name, kind: session.kind, reason });
  }
}

function askForKey(video: RTCRtpTransceiver): void {
  const { ssrc } = video.receiver.track;
  // A failed send shows in the connection's state.
  if (ssrc !== undefined) video.receiver.sendRtcpPLI(ssrc).catch(() => {});
}
