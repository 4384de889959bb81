import { closeSync, openSync, readSync } from 'node:fs';
import { imageSize } from 'image-size';

export type StillKind = 'jpeg' | 'png' | 'webp' | 'bmp' | 'tiff';

/** EXIF orientation: how the stored picture has to be turned to be seen upright; 1 is as stored. */
export type Orientation = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8;

/** Where headers may be: an EXIF segment is at most 64 KB, and colour profiles may come before it. */
const HEAD_BYTES = 1 << 20;
const ORIENTATION_TAG = 0x0112;
/** What a directory of a TIFF file is of; and its bit for a smaller version of another. */
const SUBFILE_TAG = 254;
const REDUCED = 1;
/** Bit of a WebP file's flags. */
const ANIMATED = 2;

/** ffmpeg filters that apply an orientation. */
export const ORIENTATION_FILTERS: Record<Orientation, readonly string[]> = {
  1: [],
  2: ['hflip'],
  3: ['hflip', 'vflip'],
  4: ['vflip'],
  5: ['transpose=cclock_flip'],
  6: ['transpose=clock'],
  7: ['transpose=clock_flip'],
  8: ['transpose=cclock'],
};

/** What a file is by its first bytes, whatever it is called; undefined when it is no still picture. */
export function stillKind(path: string): StillKind | undefined {
  const head = readHead(path, 16);
  const text = head.toString('latin1');
  if (head[0] === 0xff && head[1] === 0xd8 && head[2] === 0xff) return 'jpeg';
  if (text.startsWith('\x89PNG\r\n\x1a\n')) return 'png';
  if (text.startsWith('RIFF') && text.slice(8, 12) === 'WEBP') return 'webp';
  if (text.startsWith('BM')) return 'bmp';
  if (text.startsWith('II*\0') || text.startsWith('MM\0*')) return 'tiff';
  return undefined;
}

/** ffmpeg versions differ in what they make of EXIF, so that it is read here and ffmpeg is told to leave it alone. */
export function stillOrientation(path: string, kind: StillKind): Orientation {
  const head = readHead(path, HEAD_BYTES);
  const exif = EXIF_FINDERS[kind](head);
  return exif ? orientationOf(exif) : 1;
}

/** As stored, of the kinds whose header cannot mean anything else; undefined when it is not found there. */
export function stillSize(path: string, kind: StillKind): { width: number; height: number } | undefined {
  if (kind !== 'jpeg' && kind !== 'png') return undefined;
  try {
    const { width, height } = imageSize(readHead(path, HEAD_BYTES));
    return width > 0 && height > 0 ? { width, height } : undefined;
  } catch {
    // Damaged or of a rare sort: ffprobe has the words for it.
    return undefined;
  }
}

/** A picture by its first bytes, of a kind that is not read; undefined for everything else. */
export function foreignStill(path: string): 'HEIC' | 'AVIF' | undefined {
  const brand = /^ftyp(....)/s.exec(readHead(path, 12).toString('latin1', 4))?.[1] ?? '';
  if (/^avi[fs]$/.test(brand)) return 'AVIF';
  return /^(hei[cmsx]|hev[cmsx]|mif1|msf1)$/.test(brand) ? 'HEIC' : undefined;
}

/** An animation that ffmpeg has no decoder for. */
export function isAnimatedWebp(path: string): boolean {
  const head = readHead(path, 21);
  return head.toString('latin1', 12, 16) === 'VP8X' && (head[20]! & ANIMATED) !== 0;
}

/** Whether there are further pictures that somebody would miss: those of an animation, a document's pages. Thumbnails and the like are not. */
export function holdsFurther(path: string, kind: StillKind): boolean {
  try {
    if (kind === 'png') return (pngChunk(readHead(path, HEAD_BYTES), 'acTL')?.readUInt32BE(0) ?? 1) > 1;
    return kind === 'tiff' && hasSecondPage((at, length) => read(path, at, length));
  } catch {
    // Damaged: what decodes it has the words for it.
    return false;
  }
}

function hasSecondPage(at: (from: number, length: number) => Buffer): boolean {
  const little = at(0, 2).toString('latin1') === 'II';
  const u16 = (from: number) => (little ? at(from, 2).readUInt16LE() : at(from, 2).readUInt16BE());
  const u32 = (from: number) => (little ? at(from, 4).readUInt32LE() : at(from, 4).readUInt32BE());
  const first = u32(4);
  const second = u32(first + 2 + 12 * u16(first));
  if (second === 0) return false;
  const tags = Array.from({ length: u16(second) }, (_, i) => second + 2 + 12 * i);
  const kind = tags.find((tag) => u16(tag) === SUBFILE_TAG);
  return kind === undefined || (u32(kind + 8) & REDUCED) === 0;
}

const readHead = (path: string, length: number): Buffer => read(path, 0, length);

function read(path: string, from: number, length: number): Buffer {
  const file = openSync(path, 'r');
  try {
    const bytes = Buffer.alloc(length);
    return bytes.subarray(0, readSync(file, bytes, 0, length, from));
  } finally {
    closeSync(file);
  }
}

const EXIF_FINDERS: Record<StillKind, (head: Buffer) => Buffer | undefined> = {
  jpeg: jpegExif,
  png: (head) => pngChunk(head, 'eXIf'),
  webp: (head) => withoutPrefix(chunk(head, 12, 'EXIF', (at) => [head.readUInt32LE(at + 4), at, 8])),
  bmp: () => undefined,
  tiff: (head) => head,
};

function jpegExif(head: Buffer): Buffer | undefined {
  for (let at = 2; at + 4 <= head.length && head[at] === 0xff; ) {
    const marker = head[at + 1]!;
    if (marker === 0xff) {
      at++;
      continue;
    }
    if (marker === 0xda || marker === 0xd9) return undefined;
    const length = head.readUInt16BE(at + 2);
    const body = head.subarray(at + 4, at + 2 + length);
    if (marker === 0xe1 && body.subarray(0, 6).toString('latin1') === 'Exif\0\0') return body.subarray(6);
    at += 2 + length;
  }
  return undefined;
}

const pngChunk = (head: Buffer, name: string) => chunk(head, 8, name, (at) => [head.readUInt32BE(at), at + 4, 12]);

/** The first chunk of that name. @param read length, position of the name and bytes besides the body of the chunk at a position */
function chunk(
  head: Buffer,
  from: number,
  name: string,
  read: (at: number) => [number, number, number],
): Buffer | undefined {
  for (let at = from; at + 8 <= head.length; ) {
    const [length, nameAt, overhead] = read(at);
    if (head.subarray(nameAt, nameAt + 4).toString('latin1') === name) return head.subarray(at + 8, at + 8 + length);
    // RIFF pads to even lengths; PNG does not.
    at += length + overhead + (overhead === 8 ? length & 1 : 0);
  }
  return undefined;
}

/** Some writers put the JPEG segment's name before the EXIF data of a WebP. */
function withoutPrefix(exif: Buffer | undefined): Buffer | undefined {
  return exif?.subarray(0, 4).toString('latin1') === 'Exif' ? exif.subarray(6) : exif;
}

/** @param exif a TIFF header and its directories */
function orientationOf(exif: Buffer): Orientation {
  try {
    const little = exif.toString('latin1', 0, 2) === 'II';
    const u16 = (at: number) => (little ? exif.readUInt16LE(at) : exif.readUInt16BE(at));
    const directory = little ? exif.readUInt32LE(4) : exif.readUInt32BE(4);
    for (let i = 0; i < u16(directory); i++) {
      const at = directory + 2 + 12 * i;
      if (u16(at) !== ORIENTATION_TAG) continue;
      const value = u16(at + 8);
      return value >= 1 && value <= 8 ? (value as Orientation) : 1;
    }
  } catch {
    // A directory that points outside the file says nothing about the picture, which is decoded all the same.
  }
  return 1;
}
