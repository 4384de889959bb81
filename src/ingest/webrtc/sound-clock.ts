import { type CodedPicture, TimestampUnwrapper } from '../../core/rtp.ts';

/** A sender's statement at which time of its own clock a medium had an RTP timestamp (RFC 3550, section 6.4.1). */
export interface SenderReport {
  /** Seconds since 1900, in 32.32 bits. */
  readonly ntpTimestamp: bigint;
  readonly rtpTimestamp: number;
}

/** RTP's clock for Opus, kHz, and for pictures. */
const SOUND_KHZ = 48;
const PICTURE_KHZ = 90;
/** Weight of a new estimate once there are many: seconds of packets are averaged. */
const ARRIVAL_WEIGHT = 0.01;
const REPORT_WEIGHT = 0.2;
/** Reports that place the sound this far from where it arrives are wrong. */
const MAX_REPORT_US = 300_000;
/** Smaller corrections are left: each one is a step in the sound. */
const STEP_US = 15_000;
/** A picture this old says nothing about when the next one would have come. */
const FRESH_MS = 500;
/** Some senders write decimal digits where a binary fraction belongs, which leaves nearly nothing of it; others are this near a full second once in 256 reports. */
const MIN_FRACTION = 2 ** 24;

class Average {
  value: number | undefined;
  readonly #weight: number;
  #count = 0;

  constructor(weight: number) {
    this.#weight = weight;
  }

  add(sample: number): void {
    const weight = Math.max(this.#weight, 1 / ++this.#count);
    this.value = this.value === undefined ? sample : this.value + weight * (sample - this.value);
  }
}

/**
 * Places a publisher's sound on the clock of his pictures: by his sender reports, and until both media have some, by
 * what arrives at the same time.
 */
export class SoundClock {
  readonly #unwrapper = new TimestampUnwrapper();
  readonly #byArrival = new Average(ARRIVAL_WEIGHT);
  readonly #byReports = new Average(REPORT_WEIGHT);
  #picture: { rtp: number; sourceUs: number; arrivedMs: number } | undefined;
  #sound: { rtp: number; us: number } | undefined;
  #pictureReport: SenderReport | undefined;
  /** From the sound's own clock to the pictures'. */
  #offsetUs: number | undefined;

  /** @param sourceUs the picture's time on the source's clock */
  picture({ timestamp }: Pick<CodedPicture, 'timestamp'>, sourceUs: number, arrivedMs: number): void {
    this.#picture = { rtp: timestamp, sourceUs, arrivedMs };
  }

  report(medium: 'picture' | 'sound', report: SenderReport): void {
    if (Number(report.ntpTimestamp & 0xffffffffn) < MIN_FRACTION) return;
    if (medium === 'picture') this.#pictureReport = report;
    else this.#compare(report);
  }

  /** The time of a sound on the source's clock, microseconds; undefined until there is a picture. In the order of the packets. */
  place(rtpTimestamp: number, arrivedMs: number): number | undefined {
    const us = (this.#unwrapper.unwrap(rtpTimestamp) * 1000) / SOUND_KHZ;
    this.#sound = { rtp: rtpTimestamp, us };
    const picture = this.#picture;
    if (picture && arrivedMs - picture.arrivedMs < FRESH_MS) {
      this.#byArrival.add(picture.sourceUs + (arrivedMs - picture.arrivedMs) * 1000 - us);
    }
    const wanted = this.#byReports.value ?? this.#byArrival.value;
    if (wanted === undefined) return undefined;
    if (this.#offsetUs === undefined || Math.abs(wanted - this.#offsetUs) > STEP_US) this.#offsetUs = wanted;
    return us + this.#offsetUs;
  }

  #compare(sound: SenderReport): void {
    const expected = this.#byArrival.value;
    const [report, last, heard] = [this.#pictureReport, this.#picture, this.#sound];
    if (!report || !last || !heard || expected === undefined) return;
    const apartUs = Number(((sound.ntpTimestamp - report.ntpTimestamp) * 1_000_000n) >> 32n);
    const pictureUs = last.sourceUs + (((report.rtpTimestamp - last.rtp) | 0) * 1000) / PICTURE_KHZ;
    const soundUs = heard.us + (((sound.rtpTimestamp - heard.rtp) | 0) * 1000) / SOUND_KHZ;
    const offsetUs = pictureUs + apartUs - soundUs;
    if (Math.abs(offsetUs - expected) <= MAX_REPORT_US) this.#byReports.add(offsetUs);
  }
}
