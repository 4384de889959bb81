import type { AudioFormat } from './audio-track.ts';

/** Codecs whose packets can be copied into an output: their length is known, and so is what silence is in them. */
export type KnownCodec = 'aac' | 'alaw' | 'mulaw' | 'opus';

const TAGS: Record<string, KnownCodec> = { ff000000: 'aac', '06000000': 'alaw', '07000000': 'mulaw' };
/** ISO/IEC 14496-3, samplingFrequencyIndex. */
const AAC_RATES = [96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8000, 7350];
const AAC_SAMPLES = 1024;
/** One frame of AAC-LC in which all is zero, by channels. */
const AAC_SILENCE = [[], [0x00, 0xc8, 0x00, 0x80, 0x23, 0x80], [0x21, 0x00, 0x49, 0x90, 0x02, 0x19, 0x00, 0x23, 0x80]];
/** 20 ms without a sound, CELT full band (RFC 6716). */
const OPUS_SILENCE = [0xf8, 0xff, 0xfe];
const PCM_SILENCE = { alaw: 0xd5, mulaw: 0xff } as const;
const PCM_SILENCE_US = 20_000;
const PCM_LOWEST_RATE = 4000;

/** Undefined for every other codec, and for AAC in ADTS or with more than two channels: those have to be encoded anew. */
export function knownCodec(format: AudioFormat): KnownCodec | undefined {
  const tag = Buffer.from(format.tag);
  if (tag.toString('latin1') === 'Opus') return format.channels <= 2 ? 'opus' : undefined;
  const codec = TAGS[tag.toString('hex')];
  if (codec === 'aac') return format.channels <= 2 && aacRate(format) ? 'aac' : undefined;
  // Telephone sound: at next to no samples a second silence would have no length, and filling a hole with it no end.
  return format.sampleRate >= PCM_LOWEST_RATE && format.channels > 0 ? codec : undefined;
}

/** Opus out of RTP has no header, which containers and ffmpeg's own inputs want: RFC 7845, section 5.1. */
export function withOpusHead(format: AudioFormat): AudioFormat {
  if (format.extradata.length > 0 || knownCodec(format) !== 'opus') return format;
  const head = Buffer.from('OpusHead\x01\0\0\0\0\0\0\0\0\0\0', 'latin1');
  head[9] = format.channels;
  head.writeUInt32LE(48_000, 12);
  return { ...format, extradata: head };
}

/** Microseconds that a packet plays. */
export function durationUs(codec: KnownCodec, format: AudioFormat, data: Uint8Array): number {
  switch (codec) {
    case 'aac':
      return (AAC_SAMPLES * 1e6) / (aacRate(format) ?? format.sampleRate);
    case 'opus':
      return opusDurationUs(data);
    default:
      return (data.length * 1e6) / (format.sampleRate * format.channels);
  }
}

/** A packet without a sound. */
export function silence(codec: KnownCodec, format: AudioFormat): Uint8Array {
  if (codec === 'aac') return Uint8Array.from(AAC_SILENCE[format.channels]!);
  if (codec === 'opus') return Uint8Array.from(OPUS_SILENCE);
  const samples = Math.round((format.sampleRate * format.channels * PCM_SILENCE_US) / 1e6);
  return new Uint8Array(samples).fill(PCM_SILENCE[codec]);
}

/** The rate of AAC's own frames: with SBR the sound comes out at twice that. */
function aacRate({ extradata }: AudioFormat): number | undefined {
  if (extradata.length < 2) return undefined;
  return AAC_RATES[((extradata[0]! & 7) << 1) | (extradata[1]! >> 7)];
}

/** RFC 6716, section 3.1. */
function opusDurationUs(data: Uint8Array): number {
  const toc = data[0] ?? 0;
  const config = toc >> 3;
  const frameUs =
    config < 12
      ? [10_000, 20_000, 40_000, 60_000][config & 3]!
      : config < 16
        ? [10_000, 20_000][config & 1]!
        : [2500, 5000, 10_000, 20_000][config & 3]!;
  const code = toc & 3;
  const frames = code === 0 ? 1 : code < 3 ? 2 : (data[1] ?? 1) & 63;
  return frameUs * frames;
}
