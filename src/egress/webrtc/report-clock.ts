import type { RTCRtpSender } from 'werift';
import { ntpOf } from '../../core/webrtc/ntp.ts';

/**
 * What the sender reports of one viewer's media say: NTP's time of an RTP timestamp, by which a browser puts sound and pictures together.
 * It is the stream's own time, common to both, plus a constant: exact, where the moments of sending jitter.
 *
 * werift 0.24 would put the decimal digits of a second's fraction where the binary fraction belongs, which loses nearly all of it and shifts
 * sound and pictures against each other by up to a second.
 */
export class ReportClock {
  #zeroMs: number | undefined;

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

  #at(timeUs: number): bigint {
    this.#zeroMs ??= performance.timeOrigin + performance.now() - timeUs / 1000;
    return ntpOf(this.#zeroMs + timeUs / 1000);
  }
}
