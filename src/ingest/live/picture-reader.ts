import type { Readable } from 'node:stream';
import { NutDemuxer, type NutStream } from '../../core/nut/demuxer.ts';
import { copyToShared } from '../../core/shared-copy.ts';
import type { FrameSlot } from '../../core/video-frame.ts';

export interface PictureReaderPorts {
  /** The decoder's first word; size of all pictures that follow. */
  onStream(stream: NutStream): void;
  /** Memory for a picture of that many bytes; undefined: the picture is skipped. */
  slot(byteLength: number): FrameSlot | undefined;
  onPicture(slot: FrameSlot | undefined, timestampUs: number): void;
}

/** Reads the rawvideo NUT of a live decoder. Never waits for memory: a picture that has no slot is read over. */
export async function readPictures(stdout: Readable, ports: PictureReaderPorts): Promise<void> {
  const demuxer = new NutDemuxer();
  let current: { slot: FrameSlot | undefined; left: number; at: number; timestampUs: number } | undefined;
  try {
    for await (const chunk of stdout) {
      demuxer.push(chunk as Uint8Array);
      for (;;) {
        if (current) {
          const part = demuxer.take(current.left);
          if (current.slot) copyToShared(new Uint8Array(current.slot.memory), part, current.at);
          current.at += part.length;
          current.left -= part.length;
          if (current.left > 0) break;
          const { slot, timestampUs } = current;
          current = undefined;
          ports.onPicture(slot, timestampUs);
        }
        const event = demuxer.next();
        if (!event) break;
        if ('stream' in event) ports.onStream(event.stream);
        else {
          const { byteLength, timestampUs } = event.frame;
          const slot = ports.slot(byteLength);
          if (slot && slot.memory.byteLength !== byteLength) {
            slot.release();
            // Read with another size's strides it would be a picture in which no detector finds a face.
            throw new Error('the decoder changed the size of its pictures');
          }
          current = { slot, left: byteLength, at: 0, timestampUs };
        }
      }
    }
  } finally {
    current?.slot?.release();
  }
}
