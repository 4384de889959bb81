import { ciede2000 } from './ciede2000.ts';

export interface ColourDifference {
  /** Mean over the mask of |ΔL*|, |ΔC*ab| and ΔE00 (paper, formula 5). */
  readonly deltaL: number;
  readonly deltaC: number;
  readonly deltaE: number;
  /** The difference of the mean colours, which ignores where features sit: |mean ΔL*|, |mean ΔC*ab|. */
  readonly meanShiftL: number;
  readonly meanShiftC: number;
  /** Table V's two further columns: mean (ΔL / 100)² and mean (Δa² + Δb²) / 2 / 128². The paper doesn't give its scale. */
  readonly mseL: number;
  readonly mseAb: number;
}

/**
 * Skin colour differences in CIE L*a*b* between two pictures of equal shape.
 * @param original interleaved L*a*b* @param anonymized interleaved L*a*b* @param mask one byte a pixel
 * @returns NaN in every field when the mask is empty
 */
export function colourDifference(original: Float32Array, anonymized: Float32Array, mask: Uint8Array): ColourDifference {
  let n = 0;
  let absL = 0;
  let absC = 0;
  let e = 0;
  let signedL = 0;
  let signedC = 0;
  let squareL = 0;
  let squareAb = 0;
  for (let p = 0; p < mask.length; p++) {
    if (!mask[p]) continue;
    const i = p * 3;
    const [l1, a1, b1] = [original[i]!, original[i + 1]!, original[i + 2]!];
    const [l2, a2, b2] = [anonymized[i]!, anonymized[i + 1]!, anonymized[i + 2]!];
    const dL = l1 - l2;
    const dC = Math.hypot(a1, b1) - Math.hypot(a2, b2);
    absL += Math.abs(dL);
    absC += Math.abs(dC);
    signedL += dL;
    signedC += dC;
    e += ciede2000(l1, a1, b1, l2, a2, b2);
    squareL += (dL / 100) ** 2;
    squareAb += ((a1 - a2) ** 2 + (b1 - b2) ** 2) / 2 / 128 ** 2;
    n++;
  }
  return {
    deltaL: absL / n,
    deltaC: absC / n,
    deltaE: e / n,
    meanShiftL: Math.abs(signedL / n),
    meanShiftC: Math.abs(signedC / n),
    mseL: squareL / n,
    mseAb: squareAb / n,
  };
}
