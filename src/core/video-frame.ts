/** Matrix and range of a picture's Y'CbCr samples; an untagged picture is BT.709 from 720 lines up, else BT.601. */
export interface ColourSpec {
  readonly matrix: 'bt601' | 'bt709' | 'bt2020';
  readonly range: 'limited' | 'full';
}

/** A planar 4:2:0 8-bit picture. Planes are tight: Y stride = width, chroma stride = ceil(width / 2). */
export interface PictureFormat {
  readonly width: number;
  readonly height: number;
  readonly colour: ColourSpec;
}

/** Byte offsets and sizes of the three planes of an I420 picture in one buffer. */
export interface PlaneLayout {
  readonly width: number;
  readonly height: number;
  readonly chromaWidth: number;
  readonly chromaHeight: number;
  readonly cbOffset: number;
  readonly crOffset: number;
  readonly byteLength: number;
}

export function planeLayout(width: number, height: number): PlaneLayout {
  const chromaWidth = (width + 1) >> 1;
  const chromaHeight = (height + 1) >> 1;
  const cbOffset = width * height;
  const crOffset = cbOffset + chromaWidth * chromaHeight;
  return {
    width,
    height,
    chromaWidth,
    chromaHeight,
    cbOffset,
    crOffset,
    byteLength: crOffset + chromaWidth * chromaHeight,
  };
}

/** What the two frame types share: where the pixels are and when they are shown. */
export interface FrameInfo {
  /** Position in the stream, from 0, without gaps. */
  readonly sequence: number;
  /** Presentation time in microseconds on the source's own clock. */
  readonly timestampUs: number;
  readonly format: PictureFormat;
}

/** A slot of pooled shared memory; `release` gives it back and may be called more than once. */
export interface FrameSlot {
  readonly index: number;
  readonly memory: SharedArrayBuffer;
  release(): void;
}

/** Camera pixels. Never leaves the process: no sink, preview or log accepts one. */
export class RawFrame implements FrameInfo {
  readonly sequence: number;
  readonly timestampUs: number;
  readonly format: PictureFormat;
  readonly slot: FrameSlot;
  /** It must be veiled, whatever the detector says: the decoder reported an error on or near this picture, or there is none. */
  damaged = false;
  /** From the arrival of its last packet until it was decoded, where that is known. */
  decodeMs: number | undefined;
  /** Why it is damaged. */
  reason: VeilReason = 'damaged';
  constructor(info: FrameInfo, slot: FrameSlot) {
    this.sequence = info.sequence;
    this.timestampUs = info.timestampUs;
    this.format = info.format;
    this.slot = slot;
  }
  close(): void {
    this.slot.release();
  }
}

/** Why a whole frame shows nothing at all; the words that the report and the metrics use. */
export type VeilReason =
  | 'damaged'
  | 'analysis-failed'
  | 'compositor-failed'
  | 'source-lost'
  | 'start-up'
  | 'clock-jump';

/** How a sealed picture came about, from the most to the least information (the ladder of docs/architecture.md). */
export type SealKind = 'composed' | 'veiled';

let doorTaken = false;

/**
 * Pixels that may leave the process. There is no public way to construct one: the compositor takes the only
 * door (`SealedFrame.takeDoor`) when it is loaded, and a second taker throws.
 */
export class SealedFrame implements FrameInfo {
  readonly sequence: number;
  readonly timestampUs: number;
  readonly format: PictureFormat;
  readonly kind: SealKind;
  readonly #slot: FrameSlot;
  #closed = false;

  private constructor(info: FrameInfo, slot: FrameSlot, kind: SealKind) {
    this.sequence = info.sequence;
    this.timestampUs = info.timestampUs;
    this.format = info.format;
    this.kind = kind;
    this.#slot = slot;
  }

  /** The I420 planes. Throws once the frame is closed: the slot may already hold another picture. */
  get pixels(): Uint8Array {
    if (this.#closed) throw new Error('a closed SealedFrame was read');
    return new Uint8Array(this.#slot.memory, 0, planeLayout(this.format.width, this.format.height).byteLength);
  }

  /** Gives the slot back. Call it when the last byte has left (in a stream's write callback), not before. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#slot.release();
  }

  /**
   * Handles for several sinks on the same pixels, each to be closed by its own; the slot is free once all are closed.
   * Takes this handle over.
   */
  share(count: number): SealedFrame[] {
    if (this.#closed) throw new Error('a closed SealedFrame was shared');
    let open = count;
    const release = () => {
      open--;
      if (open === 0) this.close();
    };
    const slot = { index: this.#slot.index, memory: this.#slot.memory, release };
    return Array.from({ length: count }, () => new SealedFrame(this, slot, this.kind));
  }

  /** True only for an object that came through the door; a structural look-alike is refused. */
  static isSealed(value: unknown): value is SealedFrame {
    return typeof value === 'object' && value !== null && #slot in value;
  }

  static takeDoor(): (info: FrameInfo, slot: FrameSlot, kind: SealKind) => SealedFrame {
    if (doorTaken) throw new Error('the door for SealedFrames has been taken: only gpu-post/compositor may seal');
    doorTaken = true;
    return (info, slot, kind) => new SealedFrame(info, slot, kind);
  }
}
