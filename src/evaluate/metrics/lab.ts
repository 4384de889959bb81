/** sRGB (IEC 61966-2-1, [0, 1]) to CIE L*a*b* under D65 (CIE 15:2004), written to `out` at `at`. */
export function srgbToLab(r: number, g: number, b: number, out: Float32Array | number[], at = 0): void {
  const lr = linear(r);
  const lg = linear(g);
  const lb = linear(b);
  const x = f((0.4124564 * lr + 0.3575761 * lg + 0.1804375 * lb) / 0.95047);
  const y = f(0.2126729 * lr + 0.7151522 * lg + 0.072175 * lb);
  const z = f((0.0193339 * lr + 0.119192 * lg + 0.9503041 * lb) / 1.08883);
  out[at] = 116 * y - 16;
  out[at + 1] = 500 * (x - y);
  out[at + 2] = 200 * (y - z);
}

/** Interleaved sRGB in [0, 1] to interleaved L*a*b*, same length. */
export function labPicture(rgb: Float32Array): Float32Array {
  const out = new Float32Array(rgb.length);
  for (let i = 0; i < rgb.length; i += 3) srgbToLab(rgb[i]!, rgb[i + 1]!, rgb[i + 2]!, out, i);
  return out;
}

function linear(v: number): number {
  return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
}

function f(t: number): number {
  return t > 216 / 24389 ? Math.cbrt(t) : ((24389 / 27) * t + 16) / 116;
}
