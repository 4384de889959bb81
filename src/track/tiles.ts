import type { Region } from '../core/face-track.ts';
import type { PictureFormat } from '../core/video-frame.ts';
import type { DetectorWindow } from '../core/vision.ts';
import { around, centreX, centreY, scaled, union } from './geometry.ts';

/** The detector's input: windows of the same shape are not distorted by it. */
const INPUT_WIDTH = 320;
const INPUT_HEIGHT = 240;
/** Neighbouring tiles share this much of their width, so that a face on a seam is whole in one of them. */
const OVERLAP = 0.15;
/** A window around a face is this many times its size, and the face keeps at least so many input pixels in a shared one. */
const CONTEXT = 2.2;
const SHARED_FACE_PX = 48;

type Turns = DetectorWindow['quarterTurns'];

export function wholePicture(format: PictureFormat, quarterTurns: Turns = 0): DetectorWindow {
  return { x: 0, y: 0, width: format.width, height: format.height, quarterTurns };
}

/** Detector pixels per picture pixel in a window that is not turned. */
export const detectorScale = (w: DetectorWindow): number => Math.min(INPUT_WIDTH / w.width, INPUT_HEIGHT / w.height);

function starts(length: number, tile: number): number[] {
  if (tile >= length) return [0];
  const count = Math.ceil((length - OVERLAP * tile) / (tile * (1 - OVERLAP)));
  return Array.from({ length: count }, (_, i) => Math.round((i * (length - tile)) / (count - 1)));
}

/** Tiles that show the picture at one detector pixel per `zoom` picture pixels; none when the whole picture does. */
export function tileGrid(format: PictureFormat, zoom: number, quarterTurns: Turns = 0): DetectorWindow[] {
  const lying = quarterTurns % 2 === 1;
  const width = Math.min(format.width, zoom * (lying ? INPUT_HEIGHT : INPUT_WIDTH));
  const height = Math.min(format.height, zoom * (lying ? INPUT_WIDTH : INPUT_HEIGHT));
  if (!quarterTurns && width === format.width && height === format.height) return [];
  return starts(format.height, height).flatMap((y) =>
    starts(format.width, width).map((x) => ({ x, y, width, height, quarterTurns })),
  );
}

/** Lying windows as high as the picture (or as wide, when it stands), so that they keep the detector's shape, and the picture upside down. */
function turnedGrid(format: PictureFormat): DetectorWindow[] {
  const zoom = Math.max(1, Math.min(format.width / INPUT_HEIGHT, format.height / INPUT_WIDTH));
  return [...tileGrid(format, zoom, 1), ...tileGrid(format, zoom, 3), wholePicture(format, 2)];
}

/** The default of `detect.lookaheadFrames`. */
const LOOKAHEAD = 12;
/** More windows than this on one frame are left to the following ones. */
const MAX_SCAN = 64;

/**
 * Windows that take turns: half-native tiles, every third one a turned window, and native tiles between them (in file mode on every other
 * frame, beside the others). A scene that begins is looked at in all of them at once; what comes later is found within a cycle, and in file
 * mode searched for in the frames that are held back.
 */
export class WindowSchedule {
  readonly #mode: 'file' | 'live';
  #key = '';
  #cycle: DetectorWindow[] = [];
  #native: DetectorWindow[] = [];
  #next = 0;
  #frames = 0;

  constructor(mode: 'file' | 'live') {
    this.#mode = mode;
  }

  /** Windows in one cycle of a picture of this size, native tiles of file mode not counted. */
  cycleLength(format: PictureFormat): number {
    this.#prepare(format);
    return this.#cycle.length;
  }

  /** Windows a frame with which the half-native tiles, two of three in the cycle, come round within the frames that are held back. */
  perFrame(format: PictureFormat): number {
    return Math.ceil(tileGrid(format, 2).length / ((2 / 3) * LOOKAHEAD));
  }

  /** The upright tiles, down to native resolution while they are not too many, and the turned windows. */
  scan(format: PictureFormat): DetectorWindow[] {
    const [half, native, turned] = [tileGrid(format, 2), tileGrid(format, 1), turnedGrid(format)];
    const few = half.length + native.length + turned.length <= MAX_SCAN;
    return [...half.slice(0, MAX_SCAN - turned.length), ...(few ? native : []), ...turned];
  }

  /** The next `count` windows of the cycle. */
  take(format: PictureFormat, count: number): DetectorWindow[] {
    this.#prepare(format);
    const taken = Math.min(count, this.#cycle.length);
    const windows = Array.from({ length: taken }, () => this.#cycle[this.#next++ % this.#cycle.length]!);
    const turn = this.#frames++;
    if (taken > 0 && turn % 2 === 1 && this.#native.length > 0)
      windows.push(this.#native[(turn >> 1) % this.#native.length]!);
    return windows;
  }

  #prepare(format: PictureFormat): void {
    const key = `${format.width}x${format.height}`;
    if (key === this.#key) return;
    this.#key = key;
    this.#next = 0;
    this.#frames = 0;
    const half = tileGrid(format, 2);
    const turned = turnedGrid(format);
    const native = tileGrid(format, 1);
    const between = this.#mode === 'live' && half.length > 0 ? native : [];
    this.#cycle = interleave(half.length ? half : native, between, turned);
    this.#native = this.#mode === 'file' && half.length > 0 ? native : [];
  }
}

/** first[0], second[0], first[1], turned[0], … until the longest has been through once. */
function interleave(...lists: DetectorWindow[][]): DetectorWindow[] {
  const [first = [], second = [], turned = []] = lists;
  const result: DetectorWindow[] = [];
  const rounds = Math.max(Math.ceil(first.length / 2), second.length, turned.length);
  for (let i = 0; i < rounds; i++) {
    if (first.length) result.push(first[(2 * i) % first.length]!, first[(2 * i + 1) % first.length]!);
    if (second.length) result.push(second[i % second.length]!);
    if (turned.length) result.push(turned[i % turned.length]!);
  }
  return result;
}

/** How far a window around a face at the picture's side goes beyond it, where the detector sees a mirror image; of its width. */
const BEYOND = 0.35;

/** The smallest window of the detector's shape around a region, inside the picture but for its sides, never finer than native. */
export function windowAround(region: Region, format: PictureFormat, quarterTurns: Turns = 0): DetectorWindow {
  const aspect = quarterTurns % 2 === 1 ? INPUT_HEIGHT / INPUT_WIDTH : INPUT_WIDTH / INPUT_HEIGHT;
  const wanted = Math.max(region.height, region.width / aspect, quarterTurns % 2 === 1 ? INPUT_WIDTH : INPUT_HEIGHT);
  const height = Math.min(wanted, format.height, format.width / aspect);
  const width = height * aspect;
  const box = around(centreX(region), centreY(region), width, height);
  const beyond = quarterTurns % 2 === 0 ? BEYOND * width : 0;
  const left = region.x < 0 ? Math.max(-beyond, region.x) : 0;
  const right = Math.max(0, Math.min(beyond, region.x + region.width - format.width));
  const x = Math.round(Math.min(Math.max(left, box.x), format.width + right - width));
  const y = Math.round(Math.min(Math.max(0, box.y), format.height - height));
  return {
    x,
    y,
    width: Math.min(Math.round(width), Math.round(format.width + right) - x),
    height: Math.min(Math.round(height), format.height - y),
    quarterTurns,
  };
}

/** Windows around all faces; neighbours of like size share one while each stays large enough in it. */
export function faceWindows(boxes: readonly Region[], format: PictureFormat): DetectorWindow[] {
  const groups: { context: Region; smallest: number }[] = [];
  for (const box of [...boxes].sort((a, b) => a.x - b.x)) {
    const context = scaled(box, CONTEXT);
    const group = groups.find((g) => {
      const shared = union(g.context, context);
      const height = Math.max(shared.height, (shared.width * INPUT_HEIGHT) / INPUT_WIDTH, INPUT_HEIGHT);
      const fits =
        height <= INPUT_HEIGHT || (Math.min(g.smallest, box.height) * INPUT_HEIGHT) / height >= SHARED_FACE_PX;
      return fits && height <= format.height && shared.width <= format.width;
    });
    if (group) {
      group.context = union(group.context, context);
      group.smallest = Math.min(group.smallest, box.height);
    } else groups.push({ context, smallest: box.height });
  }
  return groups.map((g) => windowAround(g.context, format));
}

export const turnedWindows = (box: Region, format: PictureFormat): DetectorWindow[] =>
  ([1, 3] as const).map((turns) => windowAround(scaled(box, CONTEXT), format, turns));
