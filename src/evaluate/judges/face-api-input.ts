/** Mean colour that face-api's nets were trained with. */
const MEAN = [122.782, 117.001, 104.298];

/** Planar RGB 0…255 to what face-api's nets take, in place. */
export function normaliseRgb(planar: Float32Array): void {
  const n = planar.length / 3;
  for (let i = 0; i < planar.length; i++) planar[i] = (planar[i]! - MEAN[Math.floor(i / n)]!) / 255;
}
