const ERROR = /\[(error|fatal|panic)\]/;
/** Said by ffmpeg of a packet or picture, by demuxers, and by decoders; not a word of a file's name. */
const OF_A_PICTURE = /\bcorrupt (input packet|decoded frame)\b|\bpacket corrupt\b|\bconcealing \d/i;

/** A slice that is missing altogether is no error to ffmpeg's decoders: they conceal it, and mention that. */
const MENTIONED = /^.*\[\w+ @ 0x\w+\] \[info\] concealing \d/;

/**
 * Whether a line of ffmpeg at `-loglevel level+warning`, or with more, tells of pictures that may be wrong. What a decoder
 * conceals, and a packet that the container knows to be damaged, are warnings; most warnings are harmless. From version 5 on ffmpeg warns
 * of every picture that was concealed; those before tell of some at `level+info` only.
 */
export function tellsDamage(line: string): boolean {
  return ERROR.test(line) || (line.includes('[warning]') && OF_A_PICTURE.test(line)) || MENTIONED.test(line);
}
