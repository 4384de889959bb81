const ERROR = /\[(error|fatal|panic)\]/;
/** Said by ffmpeg of a packet or picture, by demuxers, and by decoders; not a word of a file's name. */
const OF_A_PICTURE = /\bcorrupt (input packet|decoded frame)\b|\bpacket corrupt\b|\bconcealing \d/i;

/**
 * Whether a line of ffmpeg at `-loglevel level+warning`, or with more, tells of pictures that may be wrong. What a decoder
 * conceals, and a packet that the container knows to be damaged, are warnings; most warnings are harmless.
 */
export function tellsDamage(line: string): boolean {
  return ERROR.test(line) || (line.includes('[warning]') && OF_A_PICTURE.test(line));
}
