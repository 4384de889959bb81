/** Identical pictures have no finite PSNR; this stands for "untouched". */
export const UNTOUCHED_DB = 100;
const WINDOW = 8;
const C1 = (0.01 * 255) ** 2;
const C2 = (0.03 * 255) ** 2;

/**
 * Peak signal-to-noise ratio of 8-bit RGB outside the faces, decibels, capped at {@link UNTOUCHED_DB}.
 * @param keep one byte a pixel, non-zero where the pixel belongs to the background
 */
export function backgroundPsnr(a: Uint8Array, b: Uint8Array, keep: Uint8Array): number {
  let sum = 0;
  let n = 0;
  for (let p = 0; p < keep.length; p++) {
    if (!keep[p]) continue;
    for (let c = 0; c < 3; c++) sum += (a[p * 3 + c]! - b[p * 3 + c]!) ** 2;
    n += 3;
  }
  if (n === 0) return Number.NaN;
  return sum === 0 ? UNTOUCHED_DB : Math.min(UNTOUCHED_DB, 10 * Math.log10((255 * 255 * n) / sum));
}

/** Mean structural similarity of luma (Wang et al. 2004; 8×8 windows, stride 4) over windows wholly in the background. */
export function backgroundSsim(a: Uint8Array, b: Uint8Array, keep: Uint8Array, width: number): number {
  const height = keep.length / width;
  let sum = 0;
  let n = 0;
  for (let y = 0; y + WINDOW <= height; y += WINDOW / 2) {
    for (let x = 0; x + WINDOW <= width; x += WINDOW / 2) {
      const s = windowSsim(a, b, keep, width, x, y);
      if (s === undefined) continue;
      sum += s;
      n++;
    }
  }
  return n > 0 ? sum / n : Number.NaN;
}

function windowSsim(a: Uint8Array, b: Uint8Array, keep: Uint8Array, width: number, x0: number, y0: number) {
  let [sa, sb, saa, sbb, sab] = [0, 0, 0, 0, 0];
  for (let y = y0; y < y0 + WINDOW; y++) {
    for (let p = y * width + x0; p < y * width + x0 + WINDOW; p++) {
      if (!keep[p]) return undefined;
      const la = luma(a, p);
      const lb = luma(b, p);
      sa += la;
      sb += lb;
      saa += la * la;
      sbb += lb * lb;
      sab += la * lb;
    }
  }
  const n = WINDOW * WINDOW;
  const [ma, mb] = [sa / n, sb / n];
  const [va, vb, cov] = [saa / n - ma * ma, sbb / n - mb * mb, sab / n - ma * mb];
  return ((2 * ma * mb + C1) * (2 * cov + C2)) / ((ma * ma + mb * mb + C1) * (va + vb + C2));
}

function luma(rgb: Uint8Array, p: number): number {
  return 0.299 * rgb[p * 3]! + 0.587 * rgb[p * 3 + 1]! + 0.114 * rgb[p * 3 + 2]!;
}
