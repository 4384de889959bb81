/** An EXIF segment's data: orientation, a GPS directory and a thumbnail. Little-endian TIFF. */
export function exifWith(orientation: number, thumbnail: Buffer): Buffer {
  const head = Buffer.from('Exif\0\0II*\0\x08\0\0\0', 'latin1');
  const entry = (tag: number, type: number, count: number, value: number) => {
    const bytes = Buffer.alloc(12);
    bytes.writeUInt16LE(tag, 0);
    bytes.writeUInt16LE(type, 2);
    bytes.writeUInt32LE(count, 4);
    bytes.writeUInt32LE(value, 8);
    return bytes;
  };
  const directory = (entries: Buffer[], next: number) => {
    const bytes = Buffer.concat([Buffer.alloc(2), ...entries, Buffer.alloc(4)]);
    bytes.writeUInt16LE(entries.length, 0);
    bytes.writeUInt32LE(next, bytes.length - 4);
    return bytes;
  };
  // Offsets count from the TIFF header: directory of the picture at 8, of the place at 38, of the thumbnail at 56.
  const picture = directory([entry(0x0112, 3, 1, orientation), entry(0x8825, 4, 1, 38)], 56);
  const place = directory([entry(0x0001, 2, 2, 'N'.charCodeAt(0))], 0);
  const small = directory([entry(0x0201, 4, 1, 86), entry(0x0202, 4, 1, thumbnail.length)], 0);
  return Buffer.concat([head, picture, place, small, thumbnail]);
}

/** The JPEG with segments put behind its start marker. */
export function withSegments(jpeg: Buffer, segments: readonly { marker: number; data: Buffer }[]): Buffer {
  const parts = segments.map(({ marker, data }) => {
    const head = Buffer.from([0xff, marker, 0, 0]);
    head.writeUInt16BE(data.length + 2, 2);
    return Buffer.concat([head, data]);
  });
  return Buffer.concat([jpeg.subarray(0, 2), ...parts, jpeg.subarray(2)]);
}

/** Markers of all segments before the picture's data. */
export function segmentMarkers(jpeg: Buffer): number[] {
  const markers: number[] = [];
  for (let at = 2; jpeg[at] === 0xff && jpeg[at + 1] !== 0xda; at += 2 + jpeg.readUInt16BE(at + 2))
    markers.push(jpeg[at + 1]!);
  return markers;
}
