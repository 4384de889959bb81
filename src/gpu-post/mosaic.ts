/** Blocks across a whole face, whatever its size in pixels: too few for any recognizer. */
export const BLOCKS = 6;
/** Means are rounded to sixteenths of the range: over many frames of a moving face, exact ones would add up to a picture. */
const STEP = 16;

/** Both upper ends are exclusive. */
export interface PlaneBox {
  readonly x0: number;
  readonly y0: number;
  readonly x1: number;
  readonly y1: number;
}

/** Pixels that a block is wide at least: in a tiny face six blocks would be the picture itself. */
const MIN_BLOCK_PX = 8;

/** Blocks for the visible part of a face that the picture's edge cuts: they must not become finer by that. */
export function blocksIn(visiblePx: number, wholePx: number): number {
  const share = visiblePx / Math.max(1, wholePx);
  return Math.max(1, Math.min(BLOCKS, Math.floor(BLOCKS * share), Math.floor(visiblePx / MIN_BLOCK_PX)));
}

/** Replaces the box by its blocks' means, flat or interpolated: both show the same few numbers. */
export function mosaic(
  plane: Uint8Array,
  stride: number,
  box: PlaneBox,
  { across, down }: { readonly across: number; readonly down: number },
  smooth: boolean,
): void {
  const means = blockMeans(plane, stride, box, across, down);
  const columns = positions(box.x1 - box.x0, across, smooth);
  const rows = positions(box.y1 - box.y0, down, smooth);
  for (const [y, { first, second, share }] of rows.entries()) {
    const [upper, lower] = [first * across, second * across];
    let to = (box.y0 + y) * stride + box.x0;
    for (const column of columns) {
      const top =
        means[upper + column.first]! + column.share * (means[upper + column.second]! - means[upper + column.first]!);
      const bottom =
        means[lower + column.first]! + column.share * (means[lower + column.second]! - means[lower + column.first]!);
      plane[to++] = top + share * (bottom - top) + 0.5;
    }
  }
}

function blockMeans(plane: Uint8Array, stride: number, box: PlaneBox, across: number, down: number): Float64Array {
  const [w, h] = [box.x1 - box.x0, box.y1 - box.y0];
  const sums = new Float64Array(across * down);
  const counts = new Float64Array(across * down);
  const column = Int32Array.from({ length: w }, (_, x) => Math.floor((x * across) / w));
  for (let y = 0; y < h; y++) {
    const row = Math.floor((y * down) / h) * across;
    const from = (box.y0 + y) * stride + box.x0;
    for (let x = 0; x < w; x++) {
      const block = row + column[x]!;
      sums[block]! += plane[from + x]!;
      counts[block]! += 1;
    }
  }
  return sums.map((sum, i) => (counts[i] ? Math.round(sum / counts[i]! / STEP) * STEP : 128));
}

/** Between which two blocks each sample lies, and how near to the second. */
function positions(length: number, blocks: number, smooth: boolean) {
  const clamp = (i: number) => Math.max(0, Math.min(blocks - 1, i));
  return Array.from({ length }, (_, i) => {
    const at = ((i + 0.5) * blocks) / length;
    if (!smooth) return { first: clamp(Math.floor(at)), second: clamp(Math.floor(at)), share: 0 };
    const first = Math.floor(at - 0.5);
    return { first: clamp(first), second: clamp(first + 1), share: at - 0.5 - first };
  });
}
