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
});
