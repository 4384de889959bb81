import { execFileSync, spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { AudioReader } from '../../src/core/audio/audio-reader.ts';
import { type AudioFormat, type AudioPacket, AudioTrack, sameFormat } from '../../src/core/audio/audio-track.ts';
import { durationUs, knownCodec, silence, withOpusHead } from '../../src/core/audio/codec.ts';
import { NutWriter } from '../../src/core/nut/muxer.ts';
import { AudioLane } from '../../src/egress/live/audio-lane.ts';
import { PipelineMetrics } from '../../src/server/stream-stats.ts';

/** What ffmpeg writes for a second of silence in a codec. */
function encoded(...codec: string[]): { format: AudioFormat; packets: Uint8Array[] } {
  const args = ['-v', 'error', '-f', 'lavfi', '-i', 'anullsrc=d=1', '-c:a', ...codec, '-f', 'nut', '-'];
  const packets: Uint8Array[] = [];
  let format: AudioFormat | undefined;
  const reader = new AudioReader({ onFormat: (f) => (format = f), onPacket: (data) => void packets.push(data) });
  reader.push(execFileSync('ffmpeg', args));
  return { format: format!, packets };
}

const CODECS = {
  alaw: ['pcm_alaw', '-ar', '8000', '-ac', '1'],
  mulaw: ['pcm_mulaw', '-ar', '8000', '-ac', '2'],
  aac: ['aac', '-ar', '16000', '-ac', '1'],
  opus: ['libopus', '-ac', '2'],
} as const;

describe('coded sound', () => {
  for (const [codec, args] of Object.entries(CODECS) as [keyof typeof CODECS, readonly string[]][]) {
    it(`knows ${codec}, how long its packets are, and what silence is in it`, () => {
      const { format, packets } = encoded(...args);
      expect(knownCodec(format)).toBe(codec);
      const total = packets.reduce((sum, data) => sum + durationUs(codec, format, data), 0);
      expect(total).toBeGreaterThan(0.95e6);
      expect(total).toBeLessThan(1.2e6);
      const quiet = silence(codec, format);
      const nut = new NutWriter(undefined, { audio: format });
      const parts: Uint8Array[] = [nut.header];
      for (let atUs = 0; atUs < 1e6; atUs += durationUs(codec, format, quiet)) {
        parts.push(nut.sound({ timestampUs: Math.round(atUs), data: quiet }));
      }
      const decode = ['-v', 'error', '-f', 'nut', '-i', 'pipe:0', '-f', 's16le', '-'];
      const { stdout, stderr } = spawnSync('ffmpeg', decode, { input: Buffer.concat(parts) });
      expect(stderr.toString()).toBe('');
      const samples = new Int16Array(stdout.buffer, stdout.byteOffset, stdout.byteLength >> 1);
      expect(samples.length).toBeGreaterThan(0.9 * format.sampleRate * format.channels);
      // A-law has no zero; its smallest value is 8.
      expect(samples.reduce((max, x) => Math.max(max, Math.abs(x)), 0)).toBeLessThanOrEqual(8);
    });
  }

  it('does not know AAC without its set-up, nor other codecs', () => {
    const { format } = encoded(...CODECS.aac);
    expect(knownCodec({ ...format, extradata: new Uint8Array() })).toBeUndefined();
    expect(knownCodec(encoded('pcm_s16le').format)).toBeUndefined();
    expect(knownCodec(encoded('libmp3lame').format)).toBeUndefined();
    const { format: telephone } = encoded('pcm_alaw', '-ar', '8000', '-ac', '1');
    expect(knownCodec(telephone)).toBe('alaw');
    for (const sampleRate of [0, 10, Number.NaN]) expect(knownCodec({ ...telephone, sampleRate })).toBeUndefined();
    const opus = withOpusHead({ ...encoded(...CODECS.opus).format, extradata: new Uint8Array() });
    expect(opus.extradata).toHaveLength(19);
  });

  it('is read from NUT in whatever pieces it comes, and pictures are refused', () => {
    const { format, packets } = encoded(...CODECS.opus);
    const nut = new NutWriter(undefined, { audio: format });
    const stream = Buffer.concat([
      nut.header,
      ...packets.map((data, i) => nut.sound({ timestampUs: i * 20_000, data })),
    ]);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1 }), (sizes) => {
        const read: AudioPacket[] = [];
        const onPacket = (data: Uint8Array, timestampUs: number) => void read.push({ data, timestampUs });
        const reader = new AudioReader({ onFormat: (f) => expect(sameFormat(f, format)).toBe(true), onPacket });
        for (let from = 0, i = 0; from < stream.length; i++) {
          const to = from + sizes[i % sizes.length]!;
          reader.push(stream.subarray(from, to));
          from = to;
        }
        expect(read.map((p) => p.timestampUs)).toEqual(packets.map((_, i) => i * 20_000));
        expect(read.map((p) => [...p.data])).toEqual(packets.map((p) => [...p]));
      }),
      { numRuns: 20 },
    );
    const reader = new AudioReader({ onFormat: () => {}, onPacket: () => {} });
    expect(() => reader.push(new NutWriter({ width: 64, height: 64 }, {}).header)).toThrow(
      'pictures came where only sound may',
    );
  });
});

describe('the sound of one output', () => {
  const format: AudioFormat = {
    tag: Uint8Array.of(6, 0, 0, 0),
    extradata: new Uint8Array(),
    sampleRate: 8000,
    channels: 1,
  };
  const packet = (ms: number): AudioPacket => ({ timestampUs: ms * 1000, data: new Uint8Array(160) });
  const lane = () => {
    const track = new AudioTrack(format);
    return { track, lane: new AudioLane({ codec: 'alaw', track, close: () => Promise.resolve() }) };
  };
  const times = (packets: readonly AudioPacket[]) => packets.map(({ timestampUs }) => timestampUs / 1000);

  it('waits for its picture, one packet ahead of it', () => {
    const { track, lane: out } = lane();
    for (let ms = 0; ms < 1000; ms += 20) track.push(packet(ms));
    // Everything is told on the output's clock, which begins with the first picture.
    expect(times(out.upTo(500_000, 500_000))).toEqual([0, 20]);
    expect(times(out.upTo(540_000, 500_000))).toEqual([40, 60]);
    expect(out.dropped).toBe(26);
  });

  it('fills no hole of hours, in which no picture came either', () => {
    const { track, lane: out } = lane();
    out.upTo(0, 0);
    const filled = out.upTo(4 * 3600e6, 0);
    expect(filled.length).toBeLessThan(1000);
    expect(times(filled).at(-1)).toBe(4 * 3600e3 - 20);
    track.push(packet(4 * 3600e3 + 20));
    expect(times(out.upTo(4 * 3600e6 + 30_000, 0)).at(-1)).toBe(4 * 3600e3 + 20);
  });

  it('puts silence where there is none for long, and goes on with what comes', () => {
    const { track, lane: out } = lane();
    expect(times(out.upTo(0, 0))).toEqual([0]);
    expect(out.upTo(400_000, 0)).toEqual([]);
    const filled = times(out.upTo(600_000, 0));
    expect(filled[0]).toBe(20);
    expect(filled.at(-1)).toBe(580);
    track.push(packet(500));
    track.push(packet(640));
    expect(times(out.upTo(650_000, 0))).toEqual([640]);
    expect(out.dropped).toBe(1);
  });

  it('fills an outage with silence also when the sound is back before the first picture', () => {
    const { track, lane: out } = lane();
    out.upTo(0, 0);
    for (let ms = 2010; ms <= 2200; ms += 20) track.push(packet(ms));
    const sent = times(out.upTo(2_100_000, 0));
    expect(sent[0]).toBe(20);
    expect(sent.slice(1).every((ms, i) => ms - sent[i]! <= 40)).toBe(true);
    expect(sent.slice(-6)).toEqual([2010, 2030, 2050, 2070, 2090, 2110]);
    expect(out.dropped).toBe(0);
    // A sound from after the picture waits for its own.
    for (let ms = 4000; ms <= 4100; ms += 20) track.push(packet(ms));
    expect(times(out.upTo(2_500_000, 0)).at(-1)).toBe(2190);
    expect(times(out.upTo(4_030_000, 0)).slice(-3)).toEqual([4000, 4020, 4040]);
  });

  it('gives way to a sound that is back, though its first packet comes too late', () => {
    const { track, lane: out } = lane();
    out.upTo(0, 0);
    out.upTo(600_000, 0);
    // Each comes just when silence would take its place.
    track.push(packet(590));
    expect(out.upTo(620_000, 0)).toEqual([]);
    track.push(packet(610));
    expect(times(out.upTo(640_000, 0))).toEqual([610]);
    expect(out.dropped).toBe(1);
  });

  it('keeps a few seconds at most when no picture leaves', () => {
    const { track, lane: out } = lane();
    for (let ms = 0; ms < 60_000; ms += 20) track.push(packet(ms));
    expect(out.dropped).toBeGreaterThan(2700);
  });

  it('has what it leaves out counted where the sound comes from, also when it was encoded anew', async () => {
    const registry = new Registry();
    const stats = new PipelineMetrics(registry).for('call');
    const source = new AudioTrack(format);
    source.onDrop = (reason) => stats.soundDropped(reason);
    const encodedAnew = new AudioTrack(format, source);
    const out = new AudioLane({ codec: 'alaw', track: encodedAnew, close: () => Promise.resolve() });
    for (let ms = 0; ms <= 6000; ms += 1000) encodedAnew.push(packet(ms));
    // A packet that has waited for more than five seconds, and those from before the first picture.
    out.upTo(5_900_000, 5_900_000);
    const drops = { unplaced: 0, late: 5, queue: 1, encoder: 0 };
    expect([source.drops, encodedAnew.drops]).toEqual([drops, drops]);
    const text = await registry.metrics();
    expect(text).toContain('understudy_sound_packets_dropped_total{stream="call",reason="late"} 5');
    expect(text).toContain('understudy_sound_packets_dropped_total{stream="call",reason="queue"} 1');
  });
});
