/** Of an SDP or of a fragment of one. */
export function withoutCandidates(sdp: string): string {
  return sdp.replace(/^a=(candidate|end-of-candidates).*\r\n/gm, '');
}

export function ufragOf(sdp: string): string {
  return /^a=ice-ufrag:(\S+)/m.exec(sdp)![1]!;
}

/** The candidates of an offer as a trickle-ice-sdpfrag (RFC 8840). */
export function fragmentOf(sdp: string): string {
  const lines = ['ice-ufrag', 'ice-pwd', 'mid'].map((name) => new RegExp(`^a=${name}:.*$`, 'm').exec(sdp)![0]);
  const candidates = sdp.match(/^a=candidate:.*$/gm)!;
  // Bundled media have the same ones.
  const own = [...new Set(candidates)];
  return `${[lines[0], lines[1], 'm=video 9 UDP/TLS/RTP/SAVPF 0', lines[2], ...own, 'a=end-of-candidates'].join('\r\n')}\r\n`;
}
