import { eyeOpening } from './pupils.ts';

/** Opening in that of the face at rest at which an eye is shut, and from which it is as open as ever. */
const [SHUT, OPEN] = [0.64, 0.86];
/** Eyes whose openings differ by less blink together, by more one of them winks. */
const [BLINK, WINK] = [0.15, 0.25];
/** Lids never touch quite. */
const LEAST = 0.06;
/** Share of the way that the lower lid comes up. */
const LOWER = 0.15;
/** First point of each eye; upper and lower lid from there. */
const EYES = [36, 42] as const;
/** Openness below which no gaze is drawn: a network that is told a pupil paints an open eye around it. */
const NO_GAZE = 0.2;
const LIDS = [
  [1, 5],
  [2, 4],
] as const;

/**
 * Closes the understudy's eyes where the person's are shut, in place. Landmark networks put the lids of a shut eye three fifths as far apart as those of an
 * open one: taken as they are nobody ever blinks.
 * @param driven 140 numbers, the understudy's points @param own 136 or more, the person's @param neutral the person's at rest: without it, as in a picture, eyes stay
 */
export function closeLids(driven: Float32Array, own: Float32Array, neutral: Float32Array | undefined): void {
  if (!neutral) return;
  const ratios = EYES.map((from) => eyeOpening(own, from) / Math.max(1e-3, eyeOpening(neutral, from)));
  const mean = (ratios[0]! + ratios[1]!) / 2;
  const alone = Math.max(0, Math.min(1, (Math.abs(ratios[0]! - ratios[1]!) - BLINK) / (WINK - BLINK)));
  for (const [eye, from] of EYES.entries()) {
    const ratio = mean + alone * (ratios[eye]! - mean);
    if (!(ratio < OPEN)) continue;
    const open = Math.max(LEAST, (ratio - SHUT) / (OPEN - SHUT));
    const factor = Math.min(1, open / ratio);
    if (open < NO_GAZE) driven.fill(-1000, 2 * (68 + eye), 2 * (69 + eye));
    for (const [upper, lower] of LIDS) {
      for (const axis of [0, 1]) {
        const [u, l] = [2 * (from + upper) + axis, 2 * (from + lower) + axis];
        const gap = driven[u]! - driven[l]!;
        driven[l] = driven[l]! + LOWER * (1 - factor) * gap;
        driven[u] = driven[l]! + factor * gap;
      }
    }
  }
}
