import { cosine } from './reidentification.ts';
import { bootstrapStatistic, type Estimate, grouped, mean } from './statistics.ts';

/**
 * Flicker: root mean square change between consecutive frames inside the face, after motion has been taken out by
 * sampling every frame through the same landmark-aligned crop. Units of the input (0–255 for 8-bit values).
 * @param crops aligned crops of consecutive frames, equal length @param mask one byte a pixel
 */
export function flicker(crops: readonly Float32Array[], mask: Uint8Array): number {
  const steps: number[] = [];
  for (let t = 1; t < crops.length; t++) {
    const [a, b] = [crops[t - 1]!, crops[t]!];
    const channels = a.length / mask.length;
    let sum = 0;
    let n = 0;
    for (let p = 0; p < mask.length; p++) {
      if (!mask[p]) continue;
      for (let c = 0; c < channels; c++) sum += (a[p * channels + c]! - b[p * channels + c]!) ** 2;
      n += channels;
    }
    if (n > 0) steps.push(Math.sqrt(sum / n));
  }
  return mean(steps);
}

/**
 * Temporal landmark correlation (BLANKET, ICDL 2025): Pearson's correlation over time between the original's and the
 * output's coordinate, averaged over coordinates that move. NaN when nothing moves or fewer than three frames.
 * @param original one 136-number array a frame, in a common frame of reference @param anonymized likewise
 */
export function temporalCorrelation(original: readonly Float32Array[], anonymized: readonly Float32Array[]): number {
  if (original.length < 3) return Number.NaN;
  const values: number[] = [];
  for (let i = 0; i < original[0]!.length; i++) {
    const r = pearson(
      original.map((p) => p[i]!),
      anonymized.map((p) => p[i]!),
    );
    if (Number.isFinite(r)) values.push(r);
  }
  return mean(values);
}

export function pearson(a: readonly number[], b: readonly number[]): number {
  const ma = mean(a);
  const mb = mean(b);
  let [cov, va, vb] = [0, 0, 0];
  a.forEach((x, i) => {
    cov += (x - ma) * (b[i]! - mb);
    va += (x - ma) ** 2;
    vb += (b[i]! - mb) ** 2;
  });
  return cov / Math.sqrt(va * vb);
}

/** Mean cosine of each embedding to the FaceTrack's mean embedding: 1 when the understudy never changes. */
export function identitySteadiness(embeddings: readonly Float32Array[]): number {
  const centre = meanEmbedding(embeddings);
  return mean(embeddings.map((e) => cosine(e, centre)));
}

/**
 * Mean over pairs of FaceTracks of the cosine between their mean embeddings: near 0 when understudies differ.
 * @param tracks embeddings of each @param videos the video each is of
 * @returns the interval is a bootstrap over videos, in which a FaceTrack is no pair with its own copy
 */
export function identitySeparation(tracks: readonly (readonly Float32Array[])[], videos: readonly string[]): Estimate {
  const centres = tracks.map(meanEmbedding);
  const cosines = centres.map((a) => centres.map((b) => cosine(a, b)));
  const indices = grouped(
    tracks.map((_, i) => i),
    videos,
  );
  return bootstrapStatistic(indices, (drawn) => {
    const list = drawn.flat();
    let [sum, pairs] = [0, 0];
    for (let a = 0; a < list.length; a++) {
      for (let b = 0; b < a; b++) {
        if (list[a] === list[b]) continue;
        sum += cosines[list[a]!]![list[b]!]!;
        pairs++;
      }
    }
    return sum / pairs;
  });
}

/** Average of unit-length embeddings, not normalised again. */
export function meanEmbedding(embeddings: readonly Float32Array[]): Float32Array {
  const out = new Float32Array(embeddings[0]!.length);
  for (const e of embeddings) for (let i = 0; i < out.length; i++) out[i]! += e[i]! / embeddings.length;
  return out;
}
