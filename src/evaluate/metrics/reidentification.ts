/** An operating point is quoted only when this many false accepts are expected behind it. */
export const MIN_EXPECTED_FALSE_ACCEPTS = 100;

/** Similarity of two embeddings, larger is more alike. */
export type Similarity = (a: Float32Array, b: Float32Array) => number;

export function cosine(a: Float32Array, b: Float32Array): number {
  let dot = 0;
  let aa = 0;
  let bb = 0;
  for (let i = 0; i < a.length; i++) {
    dot += a[i]! * b[i]!;
    aa += a[i]! * a[i]!;
    bb += b[i]! * b[i]!;
  }
  return dot / Math.sqrt(aa * bb);
}

/** Minus the Euclidean distance: for dlib's descriptors, whose cosine is .84 between *different* people. */
export function minusDistance(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i]! - b[i]!) ** 2;
  return -Math.sqrt(sum);
}

/** How each recognizer's embeddings are compared. */
export const SIMILARITIES = { A: cosine, B: minusDistance, C: cosine } as const satisfies Record<string, Similarity>;

export type Threshold =
  | { readonly measurable: true; readonly threshold: number; readonly impostorPairs: number }
  | { readonly measurable: false; readonly impostorPairs: number; readonly needed: number };

/**
 * The similarity that the fraction `far` of impostor pairs reaches or exceeds. The pairs must never be probes, or the
 * threshold is fitted to the people it is then judged on.
 */
export function calibrate(impostorScores: Float32Array, far: number): Threshold {
  const needed = Math.ceil(MIN_EXPECTED_FALSE_ACCEPTS / far);
  if (impostorScores.length < needed) return { measurable: false, impostorPairs: impostorScores.length, needed };
  const sorted = Float32Array.from(impostorScores).sort();
  const accepted = Math.floor(far * sorted.length);
  return { measurable: true, threshold: sorted[sorted.length - accepted]!, impostorPairs: sorted.length };
}

/** Scores of all pairs of embeddings whose `people` differ. */
export function impostorScores(embeddings: Float32Array[], people: readonly string[], similarity: Similarity) {
  const scores: number[] = [];
  for (let i = 0; i < embeddings.length; i++) {
    for (let j = 0; j < i; j++) {
      if (people[i] !== people[j]) scores.push(similarity(embeddings[i]!, embeddings[j]!));
    }
  }
  return Float32Array.from(scores);
}

/** Fraction of scores at or above the threshold (at FAR f on genuine pairs: TPR at f; on anonymized pairs: acceptance). */
export function rateAbove(scores: readonly number[], threshold: number): number {
  return scores.filter((s) => s >= threshold).length / scores.length;
}

/**
 * Identification: the rank (1 = best) of the right person among the gallery's people for each probe. Ties count against
 * the defender: a true match that equals others is ranked first.
 */
export function ranks(
  probes: { person: string; embedding: Float32Array }[],
  gallery: { person: string; embedding: Float32Array }[],
  similarity: Similarity,
): number[] {
  return probes.map(({ person, embedding }) => {
    let own = -Infinity;
    const others = new Map<string, number>();
    for (const g of gallery) {
      const s = similarity(embedding, g.embedding);
      if (g.person === person) own = Math.max(own, s);
      else others.set(g.person, Math.max(others.get(g.person) ?? -Infinity, s));
    }
    if (own === -Infinity) return Number.NaN;
    let rank = 1;
    for (const s of others.values()) if (s > own) rank++;
    return rank;
  });
}
