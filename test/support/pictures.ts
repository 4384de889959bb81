import { crc32, deflateSync } from 'node:zlib';

interface Marks {
  /** A TIFF header and its directories. */
  readonly exif?: Buffer;
  readonly profile?: string;
  readonly xmp?: string;
}

/** The PNG with chunks put behind its header. */
export function pngWith(png: Buffer, { exif, profile, xmp }: Marks): Buffer {
  const chunk = (name: string, data: Buffer) => {
    const body = Buffer.concat([Buffer.from(name), data]);
    const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
    length.writeUInt32BE(data.length);
    sum.writeUInt32BE(crc32(body));
    return Buffer.concat([length, body, sum]);
  };
  // What is stored as it is can be searched for.
  const stored = (text: string) => deflateSync(Buffer.from(text), { level: 0 });
  return Buffer.concat([
    png.subarray(0, 33),
    ...(profile ? [chunk('iCCP', Buffer.concat([Buffer.from('name\0\0'), stored(profile)]))] : []),
    ...(exif ? [chunk('eXIf', exif)] : []),
    ...(xmp ? [chunk('iTXt', Buffer.from(`XML:com.adobe.xmp\0\0\0\0\0${xmp}`))] : []),
    png.subarray(33),
  ]);
}

/** The simple WebP as an extended one. */
export function webpWith(
  webp: Buffer,
  { exif, profile, xmp, size, animated = false }: Marks & { size: readonly [number, number]; animated?: boolean },
): Buffer {
  const chunk = (name: string, data: Buffer) => {
    const length = Buffer.alloc(4);
    length.writeUInt32LE(data.length);
    return Buffer.concat([Buffer.from(name), length, data, Buffer.alloc(data.length & 1)]);
  };
  const header = Buffer.alloc(10);
  header[0] = (profile ? 0x20 : 0) | (exif ? 8 : 0) | (xmp ? 4 : 0) | (animated ? 2 : 0);
  header.writeUIntLE(size[0] - 1, 4, 3);
  header.writeUIntLE(size[1] - 1, 7, 3);
  const body = Buffer.concat([
    Buffer.from('WEBP'),
    chunk('VP8X', header),
    ...(profile ? [chunk('ICCP', Buffer.from(profile))] : []),
    webp.subarray(12),
    ...(exif ? [chunk('EXIF', exif)] : []),
    ...(xmp ? [chunk('XMP ', Buffer.from(xmp))] : []),
  ]);
  return chunk('RIFF', body);
}

export interface TiffPage {
  readonly width: number;
  readonly height: number;
  readonly gray: Buffer;
  /** A smaller version of another page, by its mark. */
  readonly reduced?: boolean;
}

/** Little-endian TIFF of uncompressed gray pages. */
export function tiffOf(pages: readonly TiffPage[]): Buffer {
  const parts: Buffer[] = [Buffer.from('II*\0\x08\0\0\0', 'latin1')];
  let at = 8;
  for (const [i, { width, height, gray, reduced }] of pages.entries()) {
    const tags = [
      ...[[254, reduced ? 1 : 0] as const, [256, width] as const, [257, height] as const, [258, 8] as const],
      ...[[259, 1] as const, [262, 1] as const, [273, 0] as const, [277, 1] as const, [278, height] as const],
      [279, gray.length] as const,
    ];
    const directory = Buffer.alloc(2 + 12 * tags.length + 4);
    const strip = at + directory.length;
    directory.writeUInt16LE(tags.length);
    for (const [n, [tag, value]] of tags.entries()) {
      directory.writeUInt16LE(tag, 2 + 12 * n);
      directory.writeUInt16LE(4, 4 + 12 * n);
      directory.writeUInt32LE(1, 6 + 12 * n);
      directory.writeUInt32LE(tag === 273 ? strip : value, 10 + 12 * n);
    }
    const next = strip + gray.length + (gray.length & 1);
    directory.writeUInt32LE(i + 1 < pages.length ? next : 0, directory.length - 4);
    parts.push(directory, gray, Buffer.alloc(gray.length & 1));
    at = next;
  }
  return Buffer.concat(parts);
}
