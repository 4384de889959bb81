/** NUT open container format: https://ffmpeg.org/~michael/nut.txt */
export const FILE_ID = new TextEncoder().encode('nut/multimedia container\0');

const code = (high: number, low: number) => {
  const view = new DataView(new ArrayBuffer(8));
  view.setUint32(0, high);
  view.setUint32(4, low);
  return new Uint8Array(view.buffer);
};
export const MAIN = code(0x4e4d7a56, 0x1f5f04ad);
export const STREAM = code(0x4e531140, 0x5bf2f9db);
export const INFO = code(0x4e49ab68, 0xb596ba78);
export const SYNCPOINT = code(0x4e4be4ad, 0xeeca4569);

/** Stream classes. */
export const VIDEO = 0;
export const AUDIO = 1;

export const Flag = {
  key: 1,
  codedPts: 8,
  streamId: 16,
  sizeMsb: 32,
  checksum: 64,
  reserved: 128,
  matchTime: 256,
  headerIdx: 1024,
  coded: 4096,
  invalid: 8192,
} as const;

/** Arguments for an ffmpeg whose NUT is read once: it would keep every syncpoint and key picture for the index at the end. */
export const NUT_OUTPUT = ['-write_index', '0', '-f', 'nut'];
