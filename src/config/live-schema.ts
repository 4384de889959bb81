import { isIP } from 'node:net';
import { z } from 'zod';
import { SENDING_FORMS, sendingProblem } from '../core/stream-address.ts';

const port = z.number().int().min(0).max(65_535);
const iceUrl = z.string().regex(/^(stun|turn)s?:[^\s<>"]+$/, 'an address such as stun:host:3478 or turn:host:3478');
/** Of an interface, or of a router before it: candidates carry nothing else. */
const host = z
  .string()
  .refine(
    (text) => isIP(text) > 0 || /^[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?$/i.test(text),
    'an IP address or a host name',
  );
const streamName = z.string().regex(/^[A-Za-z0-9][\w.-]{0,63}$/, 'letters, digits, dot, dash and underscore');

/** Streams that do not wait: sources and sinks of `run` and of the configured streams of `serve`. */
export const liveSchema = z.strictObject({
  onSourceLost: z.enum(['veil', 'freeze-veiled', 'stop']).default('veil'),
  openMs: z.number().int().min(100).max(600_000).default(15_000),
  stallMs: z.number().int().min(500).max(600_000).default(5000),
  lookaheadFrames: z.number().int().min(0).max(5).default(0),
  deadlineMs: z.number().int().min(200).max(60_000).default(3000),
  transport: z.enum(['tcp', 'udp']).default('tcp'),
  bitrateKbps: z.number().int().min(50).max(200_000).default(4000),
  keyIntervalS: z.number().min(0.2).max(60).default(2),
  segmentS: z.number().int().min(1).max(86_400).default(300),
  deviceSize: z.union([z.literal(''), z.string().regex(/^\d+x\d+$/, 'a size such as 1280x720')]).default(''),
  deviceFrameRate: z.number().min(0).max(240).default(0),
});

/** One named stream of `serve`. Tokens belong in a file: a command line is seen by every user of the machine. */
export const streamSchema = z.strictObject({
  publishToken: z.string().min(1).optional(),
  viewToken: z.string().min(1).optional(),
  /** A camera or a file that feeds the stream instead of a WHIP publisher. */
  source: z.string().min(1).optional(),
  /** Addresses that the anonymized stream is sent to besides its viewers. */
  outputs: z.array(z.string().refine((to) => !sendingProblem(to), `an address such as ${SENDING_FORMS}`)).default([]),
  /** Folder of segments of the anonymized stream. */
  recordTo: z.string().min(1).optional(),
});

export const serveSchema = z
  .strictObject({
    host: z.string().default('0.0.0.0'),
    port: port.default(8889),
    metricsPort: port.default(9998),
    apiPort: port.default(9997),
    udpPorts: z
      .union([z.literal(''), z.string().regex(/^\d+-\d+$/, 'a range such as 8189-8289')])
      .refine((text) => {
        const [first, last] = text.split('-').map(Number);
        return text === '' || (first! > 0 && last! > first! && last! < 65_536);
      }, 'a range such as 8189-8289, the first below the last')
      .default(''),
    additionalHosts: z.array(host).default([]),
    iceServers: z
      .array(
        z.strictObject({
          urls: z.union([iceUrl, z.array(iceUrl).min(1)]),
          username: z.string().optional(),
          credential: z.string().optional(),
        }),
      )
      .default([]),
    tlsCert: z.string().default(''),
    tlsKey: z.string().default(''),
    rungsKbps: z
      .array(z.number().int().min(50).max(100_000))
      .min(1)
      .refine((rungs) => rungs.every((kbps, i) => i === 0 || kbps > rungs[i - 1]!), 'bit rates in ascending order')
      .default([400, 1000, 2500]),
    minBitrateKbps: z.number().int().min(0).max(100_000).default(150),
    audio: z.enum(['keep', 'drop']).default('keep'),
    streams: z.record(streamName, streamSchema.prefault({})).prefault({ live: {}, a: {}, b: {} }),
  })
  .refine((serve) => Boolean(serve.tlsCert) === Boolean(serve.tlsKey), {
    message: 'tlsCert and tlsKey belong together: give both or neither',
    path: ['tlsCert'],
  });

export type LiveSettings = z.infer<typeof liveSchema>;
export type ServeSettings = z.infer<typeof serveSchema>;
export type StreamSettings = z.infer<typeof streamSchema>;
