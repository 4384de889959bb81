import { lookup } from 'node:dns/promises';
import { type ExitCode, UnderstudyError } from './errors.ts';

/** What cameras and SRT are told in the path or the query instead of before the host. */
const SECRETS = /([?&/;_](?:user(?:name)?|usr|pass(?:word|wd|phrase)?|pwd|token|key|auth|secret|streamid)=)[^&\s'"]*/gi;

/** `rtsp` of `rtsp://…`; empty for a path, also for one with a drive letter. */
export const schemeOf = (address: string): string => /^([a-z0-9]{2,}):/i.exec(address)?.[1]?.toLowerCase() ?? '';

/** Whether an address stands for a stream that does not wait; anything else is a file. */
export function isLiveAddress(address: string): boolean {
  return /^(rtsps?|udp|srt|device|v4l2)$/.test(schemeOf(address)) || /:\/\//.test(address);
}

/** What keeps an address from being sent to, to be said after it; undefined when nothing does. */
export function sendingProblem(address: string): string | undefined {
  const scheme = schemeOf(address);
  if (!/^(rtsps?|udp|srt|device|v4l2)$/.test(scheme)) return 'is of a kind that is not known';
  // ffmpeg would take the frames and send them nowhere.
  return /^(udp|srt)$/.test(scheme) && !/:\d+(?=[/?#]|$)/.test(address.slice(scheme.length + 1))
    ? 'has no port'
    : undefined;
}

/** How an address to send to is written. */
export const SENDING_FORMS = 'rtsp://host/path, udp://host:5000, srt://host:5000 or v4l2:/dev/video10';

/**
 * Text in which no URL has user name, password or passphrase: the only form that may be logged or shown. What stands before the last `@`
 * goes: a password with a slash in it would be no valid URL, and be shown for that.
 */
export function withoutCredentials(text: string): string {
  return text.replace(/\/\/\S*@/g, '//').replace(SECRETS, '$1…');
}

/**
 * Finds the host's address before ffmpeg is started: a wrong name gives a clear error, and the statically linked ffmpeg
 * of @ffmpeg-installer crashes on any name.
 * @param replace put the address into the URL
 * @throws UnderstudyError(exitCode) when the name is unknown or the URL has none
 */
export async function resolveHost(url: string, exitCode: ExitCode, replace: boolean): Promise<string> {
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch {
    throw new UnderstudyError(
      exitCode,
      `${withoutCredentials(url)} is not a URL`,
      'write it as scheme://host:port/path',
    );
  }
  const host = parsed.hostname.replace(/^\[|\]$/g, '');
  try {
    const { address, family } = await lookup(host);
    if (!replace || address === host) return url;
    const at = url.indexOf(parsed.hostname, url.lastIndexOf('@') + 1);
    return url.slice(0, at) + (family === 6 ? `[${address}]` : address) + url.slice(at + parsed.hostname.length);
  } catch {
    throw new UnderstudyError(
      exitCode,
      `the host of ${withoutCredentials(url)} cannot be found`,
      'check its name and the network',
    );
  }
}
