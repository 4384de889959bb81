import { ExitCode, UnderstudyError } from '../errors.ts';

export type VideoCodecName = 'vp8' | 'h264';

export interface ReadOffer {
  /** The offer with one codec left per medium and the feedback we use. */
  readonly sdp: string;
  readonly codec: VideoCodecName;
  readonly hasAudio: boolean;
  /** RTP payload type of the peer's Opus: nothing else may go on as sound. */
  readonly opusPayload: number | undefined;
}

function badOffer(message: string, remedy: string): UnderstudyError {
  return new UnderstudyError(ExitCode.input, message, remedy);
}

const FEEDBACK = {
  // Transport-wide feedback lets a browser raise its bit rate; the packets' own times need no extension for it.
  publish: ['nack', 'nack pli', 'ccm fir', 'transport-cc'],
  // A viewer's own estimate (REMB) is the simplest thing that an encoder's bit rate can follow.
  view: ['nack', 'nack pli', 'ccm fir', 'goog-remb'],
};

const NAMES: Record<VideoCodecName, string> = { vp8: 'VP8', h264: 'H.264 with packetization-mode 1' };

/**
 * Reads a WHIP or WHEP offer and leaves in it what is to be negotiated: of video the first of VP8 and H.264
 * (packetization-mode 1) in the peer's order, of audio Opus.
 * @param codecs what can be served, at least one
 * @throws UnderstudyError when it is not an SDP offer, or has no such video
 */
export function readOffer(
  sdp: string,
  purpose: 'publish' | 'view',
  codecs: readonly VideoCodecName[] = ['vp8', 'h264'],
): ReadOffer {
  if (!/^v=0\r?$/m.test(sdp) || !/^a=ice-ufrag:/m.test(sdp) || !/^a=fingerprint:/m.test(sdp)) {
    throw badOffer(
      'the body is not an SDP offer with ICE and DTLS',
      'send the offer of createOffer() as application/sdp',
    );
  }
  const lines = sdp.split(/\r?\n/).filter(Boolean);
  const starts = lines.flatMap((line, i) => (line.startsWith('m=') ? [i] : []));
  const session = lines.slice(0, starts[0]);
  const sections = starts.map((start, i) => lines.slice(start, starts[i + 1]));
  let codec: VideoCodecName | undefined;
  let opusPayload: number | undefined;
  const out = sections.map((section) => {
    const payloads = section[0]!.split(' ').slice(3);
    if (section[0]!.startsWith('m=video')) {
      if (codec) throw badOffer('the offer has more than one video', 'offer one video and one audio');
      const chosen = chooseVideo(section, payloads, codecs);
      if (!chosen) {
        const [first, second] = codecs.map((name) => NAMES[name]);
        throw second
          ? badOffer(`the offer has neither ${first} nor ${second}`, 'offer one of the two')
          : badOffer(`the offer has no ${first}, the only codec this server has an encoder for`, 'offer it');
      }
      codec = chosen.codec;
      return keep(section, chosen.payload, FEEDBACK[purpose]);
    }
    if (section[0]!.startsWith('m=audio')) {
      const opus = payloads.find((p) => section.some((l) => new RegExp(`^a=rtpmap:${p} opus/48000`, 'i').test(l)));
      if (!opus) throw badOffer('the offer has audio without Opus', 'offer Opus, or no audio');
      opusPayload = Number(opus);
      return keep(section, opus, []);
    }
    throw badOffer(`the offer has a medium that is not taken (${section[0]!.split(' ')[0]})`, 'offer video and audio');
  });
  if (!codec) throw badOffer('the offer has no video', 'offer a video track');
  const hasAudio = opusPayload !== undefined;
  return { sdp: `${[...session, ...out.flat()].join('\r\n')}\r\n`, codec, hasAudio, opusPayload };
}

function chooseVideo(
  section: string[],
  payloads: string[],
  codecs: readonly VideoCodecName[],
): { codec: VideoCodecName; payload: string } | undefined {
  const format = (payload: string) => section.find((l) => l.startsWith(`a=fmtp:${payload} `)) ?? '';
  const baseline = (payload: string) => /profile-level-id=42/i.test(format(payload));
  const found: { codec: VideoCodecName; payload: string }[] = [];
  for (const payload of payloads) {
    const map = section.find((l) => l.startsWith(`a=rtpmap:${payload} `)) ?? '';
    if (/ VP8\/90000/i.test(map)) found.push({ codec: 'vp8', payload });
    else if (/ H264\/90000/i.test(map) && /packetization-mode=1/.test(format(payload)))
      found.push({ codec: 'h264', payload });
  }
  const first = found.find(({ codec }) => codecs.includes(codec));
  // Every H.264 decoder takes the constrained baseline that our encoder writes.
  return first?.codec === 'h264' ? (found.find((f) => f.codec === 'h264' && baseline(f.payload)) ?? first) : first;
}

/**
 * The section with one payload. Without `end-of-candidates`: werift gives up at once when none that it was told can be paired, as those that
 * browsers hide behind names of mDNS, and takes none later, although the peer finds us by itself.
 */
function keep(section: string[], payload: string, feedback: readonly string[]): string[] {
  const head = section[0]!.split(' ');
  return [
    [...head.slice(0, 3), payload].join(' '),
    ...section.slice(1).filter((line) => {
      const tagged = /^a=(rtpmap|fmtp|rtcp-fb):(\S+) (.*)$/.exec(line);
      if (!tagged) return !/^a=(ssrc-group:FID|rid:|simulcast:|end-of-candidates)/.test(line);
      const [, kind, of, value] = tagged;
      if (of !== payload && of !== '*') return false;
      return kind !== 'rtcp-fb' || feedback.includes(value!.trim());
    }),
  ];
}
