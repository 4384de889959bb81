import { atLuma, type Curve, FeatureFrame, lumaOf, meanColour, ramp, tinted, windowAround } from './feature-frame.ts';

/** Corners, upper and lower lid, and pupil. */
const EYES = [
  { corners: [36, 39], upper: [37, 38], lower: [41, 40], pupil: 68 },
  { corners: [42, 45], upper: [43, 44], lower: [47, 46], pupil: 69 },
] as const;
/** Canonical pixels: a narrower eye is seen from the side, and from the other width on it is drawn wholly. */
const [MIN_WIDTH, WIDTH] = [5, 7];
/** Radius of the iris in widths of the eye: 5.85 of 30 mm, the same in all people within a tenth. */
const IRIS = 0.195;
/** In radii of the iris: the pupil, and where the dark ring around the iris begins. */
const [PUPIL, RING] = [0.4, 0.78];
/** Of the iris's own colour. */
const [PUPIL_SHADE, RING_SHADE] = [0.18, 0.5];
/** Luma of an iris, in that of the skin below the eye: the darkest, the palest in dark skin and in light skin. */
const [DARKEST, PALEST_DARK, PALEST] = [0.18, 0.24, 0.48];
/** Luma of skin from which irises may be paler than brown, and up to which they grow paler. */
const [BROWN_TO, PALE_FROM] = [70, 170];
/** Height of the opening in widths of the eye, below which nothing is drawn, and from which all is. */
const [SHUT, OPEN] = [0.05, 0.12];
/** The same of irises: in narrower eyes pupils are not looked for. */
const [NO_IRIS, IRIS_SHOWN] = [0.13, 0.18];
/** How much of what the network drew goes: of the iris, and of the white. */
const [IRIS_SHARE, WHITE_SHARE] = [0.85, 0.5];
/** The light that every eye mirrors: place and radius, in radii of the iris. */
const GLINT = { x: -0.3, y: -0.32, radius: 0.17 };
/** Luma of the white, and of the glint, from that of the skin. */
const WHITE = { share: 0.65, more: 62 };
const MIRRORED = { share: 0.65, more: 110 };
/** Widths of the eye that the upper lid's shade reaches down, and how dark it is at the lid. */
const LID = { reach: 0.12, shade: 0.55 };
/** The line of the lashes, just above the upper lid's edge: widths of the eye, and how dark it is. */
const LASHES = { above: 0.02, width: 0.045, shade: 0.35, shut: 0.6 };
/** The skin of a shut lid: half its width and height in widths of the eye, how much of what was generated goes, and luma in that of the cheek. */
const SKIN = { along: 0.74, above: 0.48, below: 0.38, share: 0.95, shade: 0.9 };

interface Eye {
  readonly frame: FeatureFrame;
  readonly upper: Curve;
  readonly lower: Curve;
  readonly pupilX: number;
  readonly pupilY: number;
}

/**
 * Draws irises where the person looks, sharp and with a pupil, in the colour that they were generated with, and the white beside them: of some three canonical
 * pixels' radius a network makes a cloud. Lids and lashes stay the generator's. Of the original nothing but the points is known here.
 * @param face RGBA, size²; drawn over @param points 70 pairs, canonical-crop pixels; a pupil that is not known is negative
 */
export function drawEyes(face: Uint8Array, points: Float32Array): void {
  const eyes = EYES.map(({ corners, upper, lower, pupil }): Eye => {
    const frame = new FeatureFrame(points, corners[0], corners[1]);
    const [pupilX, pupilY] = [points[2 * pupil]!, points[2 * pupil + 1]!];
    return { frame, upper: frame.curve(upper), lower: frame.curve(lower), pupilX, pupilY };
  });
  const widest = Math.max(...eyes.map((eye) => eye.frame.width));
  for (const eye of eyes) {
    if (!(eye.frame.width > MIN_WIDTH)) continue;
    const gap = eye.lower.at(0.5) - eye.upper.at(0.5);
    const seen = ramp((eye.frame.width - MIN_WIDTH) / (WIDTH - MIN_WIDTH));
    const shut = 1 - ramp((gap - SHUT) / (OPEN - SHUT));
    const iris = ramp((gap - NO_IRIS) / (IRIS_SHOWN - NO_IRIS));
    if (shut > 0) drawLid(face, eye, seen * shut);
    if (iris > 0 && eye.pupilX > 0 && eye.pupilY > 0) drawEye(face, eye, widest, seen * iris);
    drawLashes(face, eye, seen * (LASHES.shade + shut * (LASHES.shut - LASHES.shade)));
  }
}

/** A network paints an eye wherever it is told lids; of one that is shut there is skin, and the lashes. */
function drawLid(face: Uint8Array, { frame, upper, lower }: Eye, shut: number): void {
  const size = Math.sqrt(face.length / 4);
  const skin = meanColour(face, size, cheekBelow(frame));
  if (!skin) return;
  const middle = (upper.at(0.5) + lower.at(0.5)) / 2;
  const [midX, midY] = frame.at([0.5, middle]);
  const { x0, y0, x1, y1, step } = windowAround(size, midX, midY, 0.8 * frame.width, 0.55 * frame.width);
  for (let j = y0; j < y1; j++) {
    for (let i = x0; i < x1; i++) {
      const [x, y] = [(i + 0.5) / step - 0.5, (j + 0.5) / step - 0.5];
      const aside = (frame.along(x, y) - 0.5) / SKIN.along;
      const off = frame.below(x, y) - middle;
      const r = Math.hypot(aside, off / (off < 0 ? SKIN.above : SKIN.below));
      const share = shut * SKIN.share * ramp((1 - r) * 2.2);
      if (share === 0) continue;
      for (let p = 4 * (j * size + i), c = 0; c < 3; c++)
        face[p + c] = face[p + c]! + share * (SKIN.shade * skin[c]! - face[p + c]!) + 0.5;
    }
  }
}

function drawLashes(face: Uint8Array, { frame, upper }: Eye, dark: number): void {
  const size = Math.sqrt(face.length / 4);
  const [midX, midY] = frame.at([0.5, upper.at(0.5) / 2]);
  const { x0, y0, x1, y1, step } = windowAround(size, midX, midY, 0.6 * frame.width, 0.4 * frame.width);
  // No line is thinner than a canonical pixel.
  const width = Math.max(LASHES.width, 0.8 / frame.width);
  for (let j = y0; j < y1; j++) {
    for (let i = x0; i < x1; i++) {
      const [x, y] = [(i + 0.5) / step - 0.5, (j + 0.5) / step - 0.5];
      const along = frame.along(x, y);
      if (along <= 0 || along >= 1) continue;
      const off = (frame.below(x, y) - upper.at(along) + LASHES.above) / width;
      if (off < -2.5 || off > 2.5) continue;
      const shade = 1 - dark * Math.exp(-off * off) * ramp(6 * along * (1 - along));
      for (let p = 4 * (j * size + i), c = 0; c < 3; c++) face[p + c]! *= shade;
    }
  }
}

function drawEye(face: Uint8Array, eye: Eye, widest: number, strength: number): void {
  const { frame, upper, lower, pupilX, pupilY } = eye;
  // Of a turned head the farther eye is narrower, and not lower.
  const [rx, ry] = [IRIS * frame.width, IRIS * widest];
  const colours = coloursOf(face, eye, rx, ry);
  if (!colours) return;
  const { iris, white, mirrored } = colours;
  const size = Math.sqrt(face.length / 4);
  const [midX, midY] = frame.at([0.5, 0]);
  const { x0, y0, x1, y1, step } = windowAround(size, midX, midY, 0.6 * frame.width, 0.6 * frame.width);
  for (let j = y0; j < y1; j++) {
    for (let i = x0; i < x1; i++) {
      const [x, y] = [(i + 0.5) / step - 0.5, (j + 0.5) / step - 0.5];
      const along = frame.along(x, y);
      if (along <= 0 || along >= 1) continue;
      const below = frame.below(x, y);
      const under = below - upper.at(along);
      // Points are right within a pixel: what is drawn ends softly.
      const inside = ramp((Math.min(under, lower.at(along) - below) * frame.width) / 1.2 + 0.4);
      if (inside === 0) continue;
      const [u, v] = [(x - pupilX) / rx, (y - pupilY) / ry];
      const r = Math.hypot(u, v);
      const edge = ramp((1 - r) * 0.9 * rx + 0.5);
      const lid = 1 - LID.shade * ramp(1 - under / LID.reach);
      const shade = irisShade(r, v, rx) * lid;
      const corner = (1 - 0.3 * (2 * along - 1) ** 2) * lid;
      const glint = 0.8 * lid * ramp((GLINT.radius - Math.hypot(u - GLINT.x, v - GLINT.y)) * rx + 0.5);
      const share = strength * inside * (WHITE_SHARE + edge * (IRIS_SHARE - WHITE_SHARE));
      for (let p = 4 * (j * size + i), c = 0; c < 3; c++) {
        const before = face[p + c]!;
        const coloured = iris[c]! * shade * (1 - glint) + glint * mirrored;
        // The white may be lighter than it should be: light falls on it.
        const beside = Math.max(0.8 * before, white[c]! * corner);
        const value = before + share * (edge * coloured + (1 - edge) * beside - before);
        face[p + c] = value > 255 ? 255 : value + 0.5;
      }
    }
  }
}

function coloursOf(face: Uint8Array, { frame, upper, lower, pupilX, pupilY }: Eye, rx: number, ry: number) {
  const size = Math.sqrt(face.length / 4);
  const steps = [-0.75, -0.5, -0.25, 0, 0.25, 0.5, 0.75];
  const disc = steps.flatMap((v) => steps.filter((u) => Math.hypot(u, v) < 0.8).map((u) => [u, v] as const));
  const seen = disc
    .map(([u, v]) => [pupilX + u * rx, pupilY + v * ry] as const)
    .filter(([x, y]) => {
      const [along, below] = [frame.along(x, y), frame.below(x, y)];
      return below > upper.at(along) && below < lower.at(along);
    });
  const own = meanColour(face, size, seen, 4);
  const skin = meanColour(face, size, cheekBelow(frame));
  if (!own || !skin) return undefined;
  const bright = lumaOf(skin);
  const palest = PALEST_DARK + (PALEST - PALEST_DARK) * ramp((bright - BROWN_TO) / (PALE_FROM - BROWN_TO));
  const luma = bright * Math.max(DARKEST, Math.min(palest, lumaOf(own) / Math.max(1, bright)));
  return {
    iris: atLuma(own, luma),
    white: tinted(skin, WHITE.share * bright + WHITE.more, 0.25),
    mirrored: Math.min(235, MIRRORED.share * bright + MIRRORED.more),
  };
}

const cheekBelow = (frame: FeatureFrame) =>
  [0.25, 0.5, 0.75].flatMap((along) => [frame.at([along, 0.55]), frame.at([along, 0.75])]);

/** Pupil, iris, a little lighter below, where the light from above falls through it, and the dark ring. @param radius canonical pixels */
function irisShade(r: number, v: number, radius: number): number {
  const pupil = ramp((PUPIL - r) * radius * 0.9 + 0.5);
  const ring = ramp((r - RING) / (1 - RING));
  const body = (1 + 0.25 * v) * (1 - (1 - RING_SHADE) * ring);
  return body + pupil * (PUPIL_SHADE - body);
}
