/**
 * A frame's number as black and white cells in the picture's corner: eight bits in the upper row, their complement in the
 * lower one, so that a veiled, covered or damaged corner is no number. Cells of 16 pixels survive coding at low bit rates.
 */
export const STAMP = { bits: 8, cellPx: 16, widthPx: 128, heightPx: 32, frames: 256 } as const;

/** ffmpeg filters that draw the stamp of frame `n mod 256` into the upper left corner. */
export function stampFilter(): string {
  const { bits, cellPx, widthPx, heightPx } = STAMP;
  const box = (x: number, y: number, when: string) =>
    `drawbox=x=${x}:y=${y}:w=${cellPx}:h=${cellPx}:color=white:t=fill:enable='${when}'`;
  const cells = Array.from({ length: bits }, (_, bit) => {
    const value = `mod(floor(n/${2 ** bit}),2)`;
    return [box(bit * cellPx, 0, `eq(${value},1)`), box(bit * cellPx, cellPx, `eq(${value},0)`)];
  });
  return [`drawbox=x=0:y=0:w=${widthPx}:h=${heightPx}:color=black:t=fill`, ...cells.flat()].join(',');
}

/**
 * Reads a stamp back. Runs in the bench's page too: it must not refer to anything outside itself.
 * @param luma the stamp's rectangle, 128×32 samples @param stride samples from one row to the next
 * @returns 0 to 255; −1 where there is no stamp
 */
export function readStamp(luma: Uint8Array, stride: number): number {
  const cell = 16;
  let number = 0;
  for (let bit = 0; bit < 8; bit++) {
    // The middle of a cell: coding smears its edges.
    let [upper, lower] = [0, 0];
    for (let y = 4; y < 12; y++) {
      for (let x = 4; x < 12; x++) {
        upper += luma[y * stride + bit * cell + x]!;
        lower += luma[(y + cell) * stride + bit * cell + x]!;
      }
    }
    if (Math.abs(upper - lower) < 64 * 80) return -1;
    if (upper > lower) number += 2 ** bit;
  }
  return number;
}
