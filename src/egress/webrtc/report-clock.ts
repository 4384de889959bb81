import type { RTCRtpSender } from 'werift';

/** Seconds from 1900, where NTP begins, to 1970. */
const NTP_EPOCH_S = 2_208_988_800;

/**
 * What the sender reports of one viewer's media say: NTP's time of an RTP timestamp, by which a browser puts sound and pictures together.
 * It is the stream's own time, common to both, plus a constant: exact, where the moments of sending jitter.
 *
 * werift 0.24 would put the decimal digits of a second's fraction where the binary fraction belongs, which loses nearly all of it and shifts
 * sound and pictures against each other by up to a second.
 */
export class ReportClock {
  #zeroS: number | undefined;

  /** @returns to be told the stream's time of each packet, microseconds, before it is sent */
  attach(sender: RTCRtpSender): (timeUs: number) => void {
    let sentUs = 0;
    let ntp = 0n;
    Object.defineProperty(sender, 'ntpTimestamp', {
      configurable: true,
      get: () => ntp,
      // The sender sets it as a packet goes out, to what it takes for the time.
      set: () => {
        ntp = this.#at(sentUs);
      },
    });
    return (timeUs) => {
      sentUs = timeUs;
    };
  }

  /** 32.32 bits. */
  #at(timeUs: number): bigint {
    this.#zeroS ??= (performance.timeOrigin + performance.now()) / 1000 + NTP_EPOCH_S - timeUs / 1e6;
    // A double has 21 bits left for the fraction of so many seconds: half a microsecond.
    return BigInt(Math.floor((this.#zeroS + timeUs / 1e6) * 2 ** 20)) << 12n;
  }
}
