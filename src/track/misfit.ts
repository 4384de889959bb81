import { interOcular, meanPoint } from './canonical.ts';

/**
 * How far the inner points (17 to 67) of a generated face are from where they were asked for: mean distance over the inter-ocular
 * one, a common shift taken off. What a face expresses is in it; the outline is not.
 * @param found 136 numbers @param wanted as many or more, same pixels
 */
export function misfit(found: Float32Array, wanted: Float32Array): number {
  const [here, there] = [meanPoint(found, 17, 68), meanPoint(wanted, 17, 68)];
  let sum = 0;
  for (let i = 17; i < 68; i++) {
    const x = found[2 * i]! - here.x - wanted[2 * i]! + there.x;
    const y = found[2 * i + 1]! - here.y - wanted[2 * i + 1]! + there.y;
    sum += Math.hypot(x, y);
  }
  return sum / 51 / Math.max(1e-3, interOcular(wanted));
}
