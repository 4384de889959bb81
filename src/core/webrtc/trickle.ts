import type { RTCPeerConnection } from 'werift';

/** What a trickle-ice-sdpfrag (RFC 8840) says. */
export interface TrickleFragment {
  readonly candidates: readonly { readonly candidate: string; readonly sdpMid?: string }[];
  /** User name fragments: the ICE sessions that it, or one of its candidates, is of. */
  readonly ufrags: readonly string[];
}

export function readFragment(text: string): TrickleFragment {
  const candidates: { candidate: string; sdpMid?: string }[] = [];
  const ufrags: string[] = [];
  let sdpMid: string | undefined;
  for (const line of text.split(/\r?\n/)) {
    if (line.startsWith('a=mid:')) sdpMid = line.slice(6).trim();
    // Browsers name the ICE session at each candidate, too.
    const ufrag = /^a=(?:ice-ufrag:|candidate:.* ufrag )(\S+)/.exec(line)?.[1];
    if (ufrag !== undefined) ufrags.push(ufrag);
    if (line.startsWith('a=candidate:')) {
      candidates.push({ candidate: line.slice(2).trim(), ...(sdpMid !== undefined && { sdpMid }) });
    }
  }
  return { candidates, ufrags };
}

/** Whether the fragment is of the ICE session that the peer's offer has begun: with any other ICE would begin again. */
export function isOfOffer(peer: RTCPeerConnection, { ufrags }: TrickleFragment): boolean {
  const offered = [...(peer.remoteDescription?.sdp ?? '').matchAll(/^a=ice-ufrag:(\S+)/gm)].map((match) => match[1]!);
  return ufrags.every((ufrag) => offered.includes(ufrag));
}

export async function addCandidates(peer: RTCPeerConnection, { candidates }: TrickleFragment): Promise<void> {
  for (const { candidate, sdpMid } of candidates) {
    // Media are bundled: candidates that name none are of the first.
    const added = peer.addIceCandidate(sdpMid === undefined ? { candidate, sdpMLineIndex: 0 } : { candidate, sdpMid });
    // werift asks ten seconds long for a name that nobody in this network knows; the others must not wait for it.
    if (/\.local /i.test(candidate)) void added.catch(() => {});
    else await added;
  }
}
