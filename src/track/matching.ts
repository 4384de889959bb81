import type { Region } from '../core/face-track.ts';
import type { Picture } from '../core/vision.ts';
import { associate } from './association.ts';
import type { DetectionPass, Expected } from './detection-pass.ts';
import { area, centreX, centreY, intersection, intersectionOverUnion } from './geometry.ts';
import type { FaceTrack } from './lifecycle.ts';
import { type Found, mergeFound, onFace } from './merge.ts';
import type { TrackOptions } from './options.ts';

/** Of a followed face's height: how high a find on that person's body may be, and how far down it counts as body; of its width: how far aside. */
const MAX_ON_BODY = 0.35;
const BODY_BELOW = 0.9;
const BODY_ASIDE = 0.35;
/**
 * A find at another angle than a certain face is that face: one of at least so much of its area when this part of it lies within the face, hair and ears
 * included, a smaller one within the face alone.
 */
const MIN_SIDEWAYS = 0.2;
const MIN_SIDEWAYS_INSIDE = 0.03;
const SIDEWAYS_WITHIN = 0.75;
/** How many times as large a turned find must be for an upright one within it to be a part of it. */
const UPRIGHT = 1.7;
/** A doubtful find that lies so far within a face seen whole, and on it, is a part of that, and covered with it. */
const PART_WITHIN = 0.8;
/** What makes a find that was looked at twice the better look at a face that is followed: score above, share of its area, overlap. */
const MORE_CERTAIN = 0.05;
const AS_LARGE = 0.7;
const SAME_FACE = 0.4;
/** Of an upright face's height and width: how far hair reaches above, and cheeks and ears aside. Not below: a child's head may lie at a chin. */
const HAIR = 0.3;
const ASIDE = 0.1;

export interface Matches {
  readonly found: readonly { readonly track: FaceTrack; readonly detection: Found }[];
  readonly missed: readonly FaceTrack[];
  /** Detections that begin a FaceTrack. */
  readonly fresh: readonly Found[];
  /** Detections that no second look supports: covered on this frame, and not followed. */
  readonly doubtful: readonly Found[];
}

/** Looks at a frame and says which FaceTrack is where; those not found at first are looked for in turned windows. */
export async function matchFaces(
  detection: DetectionPass,
  picture: Picture,
  tracks: readonly FaceTrack[],
  expected: readonly Expected[],
  options: TrackOptions,
): Promise<Matches> {
  const boxes = expected.map((e) => e.box);
  const seen = await detection.look(picture, expected);
  const first = associate(boxes, seen);
  const found = first.pairs.map(([t, d]) => ({ track: tracks[t]!, detection: seen[d]! }));
  const lost = first.missed.map((i) => expected[i]!);
  const known: Found[] = found.map((f) => f.detection);
  // A turned window around one who was lost shows those beside him as well: he is not where somebody else was found.
  const isWhole = (f: Found) => f.score >= options.trustedScore && !f.clipped;
  const turned = (lost.length > 0 ? await detection.lookTurned(picture, lost) : []).filter(
    (find) => isApart(find, known, options) && !known.some((face) => isWhole(face) && sideways(find, face)),
  );
  const second = associate(
    lost.map((e) => e.box),
    turned,
  );
  for (const [t, d] of second.pairs) {
    found.push({ track: tracks[first.missed[t]!]!, detection: turned[d]! });
    known.push(turned[d]!);
  }
  const missed = second.missed.map((i) => tracks[first.missed[i]!]!);
  const left = [...first.fresh.map((i) => seen[i]!), ...second.fresh.map((i) => turned[i]!)];
  const followed = [...known, ...missed.map((track) => boxes[tracks.indexOf(track)]!)];
  const likely = left
    .filter((f) => !f.native || !(f.clipped || followed.some((face) => onBody(f, face))))
    .filter((f) => !known.some((face) => isWhole(face) && sideways(f, face)));
  const confirmed = await detection.confirm(picture, freshFaces(likely, known, options), known);
  const standing: Found[] = [];
  // The larger of two is the face, the smaller a part of it; of two that are much alike, the upright one: turned windows show its hair or neck, too.
  const weight = (f: Found) => (f.angle === 0 ? UPRIGHT : 1) * area(f);
  for (const find of confirmed.standing.sort((a, b) => weight(b) - weight(a)))
    if (!standing.some((face) => isWhole(face) && sideways(find, face))) standing.push(find);
  // A second look may show that a part of a face belongs to one that is followed.
  const fresh = freshFaces(standing, known, options);
  for (const [i, { track, detection }] of found.entries()) {
    const better = standing.find((find) => showsBetter(find, detection));
    if (better) found[i] = { track, detection: better };
  }
  const whole = [...found.map((f) => f.detection), ...fresh].filter(isWhole);
  const partOf = (find: Found, face: Found) =>
    intersection(find, face) >= PART_WITHIN * area(find) && onFace(find, face);
  const doubtful = confirmed.doubtful.filter((find) => !whole.some((face) => partOf(find, face)));
  return { found, missed, fresh, doubtful };
}

/**
 * A native tile shows the neck, the hair and the chest of somebody close as large as a small face, and now and then they look like one. Nobody so small is
 * seen there: the body is in front of him.
 */
function onBody(find: Region, face: Region): boolean {
  if (find.height > MAX_ON_BODY * face.height) return false;
  const [x, y] = [centreX(find), centreY(find)];
  const aside = BODY_ASIDE * face.width;
  return (
    x > face.x - aside && x < face.x + face.width + aside && y > face.y && y < face.y + (1 + BODY_BELOW) * face.height
  );
}

/**
 * Turned windows show a large face lying, and what is found in it then is not one: its upper half with the hair, or a cheek. Nobody else's head, lying, can be
 * where a face is seen whole; the face's own cover is over it.
 */
function sideways(find: Found, face: Found): boolean {
  if (find.angle === face.angle) return false;
  const share = area(find) / area(face);
  if (share < MIN_SIDEWAYS_INSIDE) return false;
  const within = share < MIN_SIDEWAYS || face.angle !== 0 ? face : withHair(face);
  return intersection(within, find) >= SIDEWAYS_WITHIN * area(find);
}

function withHair({ x, y, width, height }: Region): Region {
  return { x: x - ASIDE * width, y: y - HAIR * height, width: (1 + 2 * ASIDE) * width, height: (1 + HAIR) * height };
}

/**
 * A face at the picture's side, smeared by a camera that swings, can be seen in two places: who is followed takes the nearer one, the other counts as the
 * same, and would be bare. Two looks stand behind it, so that he is where the more certain of the two is.
 */
function showsBetter(find: Found, face: Found): boolean {
  if (find.angle !== face.angle || find.score < face.score + MORE_CERTAIN) return false;
  return area(find) >= AS_LARGE * area(face) && intersectionOverUnion(find, face) > SAME_FACE;
}

const ABOVE_ALL = 2;
const aboveAll = (known: readonly Found[]): Found[] => known.map((k) => ({ ...k, score: ABOVE_ALL }));

/** Whether a find is neither one of the known faces, seen once more, nor a part of one. */
function isApart(find: Found, known: readonly Found[], options: TrackOptions): boolean {
  return mergeFound([...aboveAll(known), find], options.trustedScore).some((m) => m.score < ABOVE_ALL);
}

/** Certain enough, and not a second look at a face that is followed. */
function freshFaces(candidates: readonly Found[], known: readonly Found[], options: TrackOptions): Found[] {
  const sure = candidates.filter((c) => c.score >= options.minScore);
  const merged = mergeFound([...aboveAll(known), ...sure], options.trustedScore);
  return merged.filter((m) => m.score < ABOVE_ALL);
}
