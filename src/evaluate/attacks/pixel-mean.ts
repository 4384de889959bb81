import type { Picture } from '../../core/vision.ts';
import type { RecognizerJudge } from '../judges/judges.ts';

/** The mean of equally large pictures, plane by plane: what varies from key to key goes, what stays is the original's. */
export function meanPicture(pictures: readonly Picture[]): Picture {
  const first = pictures[0]!;
  const sums = new Float32Array(first.planes.length);
  for (const { planes } of pictures) for (let i = 0; i < sums.length; i++) sums[i]! += planes[i]!;
  return { format: first.format, planes: Uint8Array.from(sums, (s) => Math.round(s / pictures.length)) };
}

/** Embeddings of such a mean. @param points where the original's face is: 136 numbers, picture pixels */
export async function embedMean(
  pictures: readonly Picture[],
  points: Float32Array,
  recognizers: readonly RecognizerJudge[],
): Promise<Record<string, Float32Array>> {
  const mixed = meanPicture(pictures);
  const out: Record<string, Float32Array> = {};
  for (const judge of recognizers) out[judge.key] = await judge.embed(mixed, points);
  return out;
}
