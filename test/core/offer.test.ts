import { describe, expect, it } from 'vitest';
import { readOffer } from '../../src/core/webrtc/offer.ts';

const HEAD = ['v=0', 'a=ice-ufrag:u', 'a=fingerprint:sha-256 00'];
const VIDEO = ['m=video 9 UDP/TLS/RTP/SAVPF 96', 'a=rtpmap:96 VP8/90000'];
const AUDIO = ['m=audio 9 UDP/TLS/RTP/SAVPF 63 111 96', 'a=rtpmap:63 red/48000/2', 'a=rtpmap:111 opus/48000/2'];

describe('readOffer', () => {
  it('says which packets are sound: Opus and no other of the audio line', () => {
    expect(readOffer([...HEAD, ...AUDIO, ...VIDEO].join('\r\n'), 'publish')).toMatchObject({ opusPayload: 111 });
    expect(readOffer([...HEAD, ...VIDEO].join('\r\n'), 'publish').opusPayload).toBeUndefined();
  });

  it('refuses in one sentence what it cannot serve', () => {
    const data = ['m=application 9 UDP/DTLS/SCTP webrtc-datachannel'];
    const cases: [lines: string[], sentence: RegExp][] = [
      [AUDIO, /^the offer has no video$/],
      [[...VIDEO, ...VIDEO], /more than one video/],
      [['m=video 9 UDP/TLS/RTP/SAVPF 96', 'a=rtpmap:96 AV1/90000'], /neither VP8 nor H\.264/],
      [[...VIDEO, 'm=audio 9 UDP/TLS/RTP/SAVPF 0'], /audio without Opus/],
      [[...VIDEO, ...data], /not taken \(m=application\)/],
    ];
    for (const [lines, sentence] of cases)
      expect(() => readOffer([...HEAD, ...lines].join('\r\n'), 'publish')).toThrow(sentence);
  });
});
