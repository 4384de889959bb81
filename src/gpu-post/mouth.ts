import { eyeDistance } from './feature-ellipses.ts';
import { FeatureFrame, lumaOf, meanColour, type Rgb, ramp, tinted, windowAround } from './feature-frame.ts';

const [LEFT, RIGHT] = [48, 54];
const [INNER_LEFT, INNER_RIGHT] = [60, 64];
const [UPPER_INNER, LOWER_INNER] = [
  [61, 62, 63],
  [67, 66, 65],
] as const;
const [UPPER_OUTER, LOWER_OUTER] = [
  [49, 50, 51, 52, 53],
  [59, 58, 57, 56, 55],
] as const;
/** Height of the opening in widths of the mouth, below which nothing is drawn, and from which all is: landmarks of shut lips are apart by less. */
const [SHUT, OPEN] = [0.04, 0.1];
/** In distances of the eyes: narrower, a turned head's or pursed lips are left as they are, from the second width on all is drawn; from the third teeth begin to show, and do from the last. */
const [MIN_WIDTH, WIDTH] = [0.45, 0.55];
const [NO_TEETH, TEETH] = [0.6, 0.78];
/** Height of the upper teeth that shows, in distances of the eyes, of a mouth as wide as at rest and of one that smiles, and those widths. */
const TOOTH = { resting: 0.08, smiling: 0.17 };
const [RESTING, SMILING] = [0.8, 1.05];
/** How much of what the network drew goes: within the lips of an open mouth, of one that smiles, which it knows better, and on lips. */
const [SHARE, SMILE_SHARE, LIP_SHARE] = [0.85, 0.4, 0.45];
/** Luma of teeth from that of the skin; of the tongue and of the dark in it. */
const WHITE = { share: 0.85, more: 58 };
const [TONGUE, DARK] = [0.4, 0.13];
/** Red, green and blue of the inside, of its luma; how much redder lips are than the skin around is kept, and a little more. */
const INSIDE: Rgb = [1.75, 0.68, 0.72];
const REDDER = 1.3;

/**
 * Draws what is between the lips of an open mouth, the upper teeth, the tongue and the dark, and evens the lips: the network makes smears and combs of them.
 * How far it is open, and how wide, is the person's expression; nothing else of the original is known here, and nobody's teeth are.
 * @param face RGBA, size²; drawn over @param points 68 or more pairs, canonical-crop pixels
 */
export function drawMouth(face: Uint8Array, points: Float32Array): void {
  const size = Math.sqrt(face.length / 4);
  const frame = new FeatureFrame(points, LEFT, RIGHT);
  const eyes = eyeDistance(points);
  if (!(frame.width > MIN_WIDTH * eyes)) return;
  const inner = [frame.place(INNER_LEFT), frame.place(INNER_RIGHT)] as const;
  const [top, bottom] = [frame.curve(UPPER_INNER, inner), frame.curve(LOWER_INNER, inner)];
  const gap = bottom.at(0.5) - top.at(0.5);
  const seen = ramp((frame.width / eyes - MIN_WIDTH) / (WIDTH - MIN_WIDTH));
  const strength = seen * ramp((gap - SHUT) / (OPEN - SHUT));
  if (!(strength > 0)) return;
  const [outerTop, outerBottom] = [frame.curve(UPPER_OUTER), frame.curve(LOWER_OUTER)];
  const cheeks = [
    meanColour(face, size, [between(points, LEFT, 4)]),
    meanColour(face, size, [between(points, RIGHT, 12)]),
  ];
  const lipPlaces = [0.3, 0.4, 0.5, 0.6, 0.7].map((a) => frame.at([a, (bottom.at(a) + outerBottom.at(a)) / 2]));
  const drawn = meanColour(face, size, lipPlaces);
  const [left, right] = cheeks;
  if (!left || !right || !drawn) return;
  const lip = redder(drawn, mix(left, right, 0.5));
  const teeth = ramp((frame.width / eyes - NO_TEETH) / (TEETH - NO_TEETH));
  const smile = ramp((frame.width / eyes - RESTING) / (SMILING - RESTING));
  const share = SHARE + smile * (SMILE_SHARE - SHARE);
  const tooth = ((TOOTH.resting + smile * (TOOTH.smiling - TOOTH.resting)) * eyes) / frame.width;
  const [from, to] = [inner[0][0], inner[1][0]];
  const [midX, midY] = frame.at([0.5, (top.at(0.5) + bottom.at(0.5)) / 2]);
  const window = windowAround(size, midX, midY, 0.62 * frame.width, (0.5 * gap + 0.45) * frame.width);
  for (let j = window.y0; j < window.y1; j++) {
    for (let i = window.x0; i < window.x1; i++) {
      const [x, y] = [(i + 0.5) / window.step - 0.5, (j + 0.5) / window.step - 0.5];
      const along = frame.along(x, y);
      if (along <= 0 || along >= 1) continue;
      const below = frame.below(x, y);
      const lips = ramp(Math.min(below - outerTop.at(along), outerBottom.at(along) - below) * frame.width * 0.7);
      const t = (along - from) / Math.max(0.01, to - from);
      const [upper, lower] = [top.at(along), bottom.at(along)];
      const apart = t > 0 && t < 1 ? Math.min(below - upper, lower - below) * frame.width : -1;
      const inside = ramp(apart / 1.2 + 0.35);
      if (lips === 0 && inside === 0) continue;
      const skin = mix(left, right, along);
      const p = 4 * (j * size + i);
      const bright = lumaOf(skin);
      const white = tinted(skin, WHITE.share * bright + WHITE.more, 0.4);
      const depth = below - upper;
      const aside = (2 * t - 1) ** 2;
      const shownTeeth = teeth * ramp((tooth * (1 - 0.4 * aside) - depth) * frame.width * 0.9 + 0.5);
      const toothShade = (1 - 0.5 * aside) * (0.8 + 0.2 * ramp(depth / (0.5 * tooth)));
      const tongue = ramp((below - lower + 0.45 * gap) / (0.3 * gap)) * (1 - 0.5 * aside);
      for (let c = 0; c < 3; c++) {
        const before = face[p + c]!;
        // Above, less light falls on a lip.
        const onLip = lip[c]! * (below < upper ? 0.88 : 1);
        const dark = bright * INSIDE[c]! * (DARK + (TONGUE - DARK) * tongue);
        const within = dark + shownTeeth * (white[c]! * toothShade - dark);
        const evened = before + strength * lips * LIP_SHARE * (onLip - before);
        const value = evened + strength * inside * share * (within - evened);
        face[p + c] = value > 255 ? 255 : value < 0 ? 0 : value + 0.5;
      }
    }
  }
}

/** A lip's colour with more of what sets it off from the skin, at its own luma. */
function redder(lip: Rgb, skin: Rgb): Rgb {
  const [own, around] = [lumaOf(lip), lumaOf(skin)];
  const colour = (c: 0 | 1 | 2) =>
    lip[c] + (REDDER - 1) * (lip[c] - own - (skin[c] - around) * (own / Math.max(1, around)));
  return [colour(0), colour(1), colour(2)];
}

function mix(a: Rgb, b: Rgb, share: number): Rgb {
  return [a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1]), a[2] + share * (b[2] - a[2])];
}

function between(points: Float32Array, a: number, b: number): readonly [number, number] {
  return [(points[2 * a]! + points[2 * b]!) / 2, (points[2 * a + 1]! + points[2 * b + 1]!) / 2];
}
