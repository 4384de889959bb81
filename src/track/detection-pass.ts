import type { Detection, Region } from '../core/face-track.ts';
import type { PictureFormat } from '../core/video-frame.ts';
import type { DetectorWindow, FaceFinder, Picture } from '../core/vision.ts';
import { centreX, intersectionOverUnion, scaled } from './geometry.ts';
import { asFound, type Found, mergeLooks } from './merge.ts';
import type { TrackOptions } from './options.ts';
import { lifted, Shadows } from './shadows.ts';
import { contextWindows, stillWindows } from './still-windows.ts';
import { detectorScale, faceWindows, turnedWindows, WindowSchedule, wholePicture, windowAround } from './tiles.ts';

/** A predicted face: where its window goes. */
export interface Expected {
  readonly box: Region;
  readonly angle: number;
  /** Roll of its last points in radians, when known: tells which way a lost face has probably turned. */
  readonly roll?: number;
  /** Too dark for the detector when it was seen last. */
  readonly dark?: boolean;
  /** That, or it was not seen: more light may help. */
  readonly lifted?: boolean;
}

/** Score from which a find in lightened shadows is believed where nobody dark was, and overlap with one who was. */
const LIFTED_SCORE = 0.6;
const SAME_DARK_FACE = 0.1;

/** Turned windows per frame for faces that were lost, and the roll from which their side is clear. */
const MAX_RETRIES = 2;
const CLEAR_ROLL = 0.3;

/** What makes a face clear in the whole picture: height in the detector's input, score, overlap with where it is expected. */
const CLEAR_PX = 20;
const CLEAR_SCORE = 0.9;
const CLEAR_OVERLAP = 0.5;

/** What a second look needs to agree, and the overlap that makes it the same find. */
const CONFIRM_SCORE = 0.5;
const CONFIRM_TURNED = 0.8;
const CONFIRM_WEAK = 0.8;
const CONFIRM_OVERLAP = 0.3;
/** Width over height of a find that two looks may agree on; faces in profile have 0.6 and more. */
const MIN_ASPECT = 0.55;
/** A face half behind hair is narrower still: what is so certain in both looks is one. */
const CERTAIN_SCORE = 0.95;
/**
 * Of a face that is half behind somebody else's no more can be seen. An ear or the neck of the one in front is not beside so much of that face's height.
 * In widths of it: how far apart the middles are at least, and the boxes at most.
 */
const HALF_HIDDEN_HEIGHT = 0.5;
const HALF_HIDDEN_FROM = 0.45;
const HALF_HIDDEN_GAP = 0.15;
const REFUTED_FRAMES = 4;
/** Finds from which on tell which way up the picture is, and how quickly that is forgotten. */
const TELLING_SCORE = 0.97;
const VOTES_KEPT = 0.9;
/** A find below this has to convince in the second looks, and is not worth a cover when it does not. */
const DOUBT_SCORE = 0.5;
const SAME_PLACE = 0.6;
const ALL_BUT_SURE = 0.995;
/** From where to where, past a face's lower edge, its neck's find begins, in heights, and how far from below its middle, in widths. */
const CHIN_REACH = [-0.4, 0.12] as const;
const CHIN_ASIDE = 0.2;

const turnsOf = (angle: number): DetectorWindow['quarterTurns'] =>
  ([0, 3, 2, 1] as const)[((Math.round(angle / (Math.PI / 2)) % 4) + 4) % 4]!;

/** Narrower than a face is from any side, and not because the picture or another face ends it or it is certain: an ear, a neck, the edge of a shadow. */
function sliver(d: Found, find: Found, { width }: PictureFormat, certainFrom: number): boolean {
  if (d.angle === 0 && Math.min(d.score, find.score) >= certainFrom) return false;
  const near = 0.02 * width;
  const upright = d.angle === 0 || Math.abs(d.angle) > 3;
  const aspect = upright ? d.width / d.height : d.height / d.width;
  return aspect < MIN_ASPECT && d.x > near && d.x + d.width < width - near;
}

/** Whether a find is beside a face that is certain, and about as large, so that this may hide the rest of it. */
function halfHidden(find: Found, faces: readonly Found[]): boolean {
  return faces.some((face) => {
    if (face === find || face.clipped || face.angle !== find.angle || face.score < CERTAIN_SCORE) return false;
    if (face.width < MIN_ASPECT * face.height) return false;
    const common = Math.min(face.y + face.height, find.y + find.height) - Math.max(face.y, find.y);
    const distance = Math.abs(centreX(face) - centreX(find));
    const gap = distance - (face.width + find.width) / 2;
    const beside = distance > HALF_HIDDEN_FROM * face.width && gap < HALF_HIDDEN_GAP * face.width;
    return beside && common >= HALF_HIDDEN_HEIGHT * Math.max(face.height, find.height);
  });
}

/**
 * Whether a find lies where a certain, upright face has its neck and collar: below its middle, from about its chin on, centred, and narrower. They are
 * taken for a face with a score of 1 in one portrait of fifty, and denied by every second look.
 */
function belowChin(find: Found, face: Found): boolean {
  if (face.angle !== 0 || find.angle !== 0 || face.clipped || face.score < CERTAIN_SCORE) return false;
  const fromChin = (find.y - face.y) / face.height - 1;
  const aside = Math.abs(centreX(find) - centreX(face)) / face.width;
  return fromChin > CHIN_REACH[0] && fromChin < CHIN_REACH[1] && aside < CHIN_ASIDE && find.width < face.width;
}

/** Overlap of what lies in the picture: beyond its sides one look sees a mirror image and the other nothing. */
function overlapWithin({ width }: PictureFormat, a: Region, b: Region): number {
  const [inA, inB] = [a, b].map((r) => {
    const x = Math.max(0, r.x);
    return { ...r, x, width: Math.min(width, r.x + r.width) - x };
  });
  return intersectionOverUnion(inA!, inB!);
}

/** All looks of the detector at one frame, merged into one detection per face. */
export class DetectionPass {
  readonly #finder: FaceFinder;
  readonly #options: TrackOptions;
  readonly #schedule: WindowSchedule;
  readonly #shadows: Shadows;
  #parity = 0;
  #everywhere = true;
  /** By quarter turns: how many faces have been seen that way up. */
  #votes = [0, 0, 0, 0];
  #refuted: (Region & { score: number; frames: number })[] = [];

  constructor(finder: FaceFinder, options: TrackOptions) {
    this.#finder = finder;
    this.#options = options;
    const mode = options.mode === 'live' ? 'live' : 'file';
    this.#schedule = new WindowSchedule(mode);
    this.#shadows = new Shadows(mode);
  }

  /** The next frame shows another scene: faces may be anywhere, and any way up. */
  newScene(): void {
    this.#everywhere = true;
    this.#votes = [0, 0, 0, 0];
  }

  /** The next frame shows the same scene after a time in which nobody looked. */
  lookEverywhere(): void {
    this.#everywhere = true;
  }

  /** The whole picture, a window around every expected face, and the tiles whose turn it is. */
  async look(picture: Picture, expected: readonly Expected[]): Promise<Found[]> {
    const { format } = picture;
    if (this.#options.mode === 'still') return this.#vote(await this.#run(picture, stillWindows(format)));
    const upright = expected.filter((e) => turnsOf(e.angle) === 0);
    const boxes = expected.map((e) => e.box);
    const turned = expected.filter((e) => turnsOf(e.angle) !== 0);
    const least = this.#options.mode === 'file' ? this.#schedule.perFrame(format) : 0;
    const budget = Math.max(expected.length > 0 ? this.#options.tileBudget : this.#options.idleTileBudget, least);
    const whole = wholePicture(format);
    // Where one face lies, or stands on its head, others may: the camera is turned.
    const turns = [...new Set(turned.map((e) => turnsOf(e.angle)))].map((t) => wholePicture(format, t));
    const tiles = this.#everywhere
      ? this.#schedule.scan(format)
      : this.#schedule.take(format, Math.max(budget, this.#options.tileBudget));
    const shadows = this.#shadows.windows(picture, boxes, this.#everywhere);
    const first = await this.#detect(picture, [whole, ...tiles, ...turns, ...shadows]);
    this.#shadows.looked();
    // A face that is large and certain in the whole picture needs no window of its own.
    const scale = detectorScale(whole);
    const clear = (box: Region) =>
      box.height * scale >= CLEAR_PX &&
      first.some(
        (d) => d.score >= CLEAR_SCORE && !d.clipped && !d.lifted && intersectionOverUnion(d, box) > CLEAR_OVERLAP,
      );
    const unclear = upright.filter((e) => !clear(e.box));
    const windowsOf = (faces: readonly Expected[]) =>
      faceWindows(
        faces.map((e) => e.box),
        format,
      );
    const windows = [...windowsOf(unclear), ...lifted(windowsOf(unclear.filter((e) => e.lifted)))];
    const around = turned.map((e) => windowAround(scaled(e.box, 2.2), format, turnsOf(e.angle)));
    const second = await this.#detect(picture, [...windows, ...around]);
    // Lightened hair and coats look like a face now and then: one that was never in the dark is not followed there.
    const believed = (f: Found) =>
      !f.lifted ||
      f.score >= LIFTED_SCORE ||
      expected.some((e) => e.dark && intersectionOverUnion(e.box, f) > SAME_DARK_FACE);
    return this.#vote(mergeLooks([...first, ...second].filter(believed), this.#options.trustedScore));
  }

  #vote(found: Found[]): Found[] {
    this.#votes = this.#votes.map((votes) => votes * VOTES_KEPT);
    for (const { score, angle } of found) if (score >= TELLING_SCORE) this.#votes[turnsOf(angle)]!++;
    return found;
  }

  /** The way most faces stand: a picture may be turned as a whole, and a face that stands as the others do is no rarer than an upright one. */
  get #wayUp(): number {
    return this.#votes.indexOf(Math.max(...this.#votes));
  }

  /**
   * Looks at finds that would begin a FaceTrack once more, in windows of other sizes: what is a face is one there too.
   * One that is refuted is not looked at again for some frames while it stays where it is.
   * @returns the finds that stand, and those that do not but must not be shown: nothing looks back at a live frame
   */
  async confirm(
    picture: Picture,
    fresh: readonly Found[],
    faces: readonly Found[],
  ): Promise<{ standing: Found[]; doubtful: Found[] }> {
    this.#refuted = this.#refuted.map((r) => ({ ...r, frames: r.frames - 1 })).filter((r) => r.frames > 0);
    const standing: Found[] = [];
    const doubtful: Found[] = [];
    for (const find of fresh) {
      const known = this.#refuted.some((r) => r.score >= find.score && intersectionOverUnion(r, find) > SAME_PLACE);
      const half = halfHidden(find, [...faces, ...fresh]);
      const better = known ? undefined : await this.#confirmed(picture, find, half);
      if (better) {
        standing.push(better);
        continue;
      }
      if (!known) this.#refuted.push({ ...find, score: find.score + 0.05, frames: REFUTED_FRAMES });
      const below = this.#options.mode !== 'live' && [...faces, ...standing].some((face) => belowChin(find, face));
      if (!below && find.score >= this.#doubtFrom(find, picture.format, half)) doubtful.push(find);
    }
    // Not before: of what a look saw that failed on the way nobody has heard.
    this.#everywhere = false;
    return { standing, doubtful };
  }

  /**
   * Score from which a find that the second looks deny is covered all the same. Recordings are looked back at, but what is never believed is never searched for:
   * of some 100 photographs' false finds none was that certain. Where the picture ends above or below, or another face is before it, there is nothing more for a second look to see.
   */
  #doubtFrom(find: Found, { height }: PictureFormat, half: boolean): number {
    if (this.#options.mode !== 'live') {
      if (find.angle !== 0 || find.clipped) return Number.POSITIVE_INFINITY;
      const near = 0.02 * height;
      return half || find.y < near || find.y + find.height > height - near ? this.#options.trustedScore : ALL_BUT_SURE;
    }
    return find.angle === 0 ? DOUBT_SCORE : this.#options.trustedScore;
  }

  /** The find as the best of the second looks shows it, or undefined when more of them deny it than not. */
  async #confirmed(picture: Picture, find: Found, half: boolean): Promise<Found | undefined> {
    const turns = turnsOf(find.angle);
    const strange = turns !== 0 && turns !== this.#wayUp;
    const certainFrom = half ? this.#options.trustedScore : CERTAIN_SCORE;
    const needed = strange ? CONFIRM_TURNED : find.score < DOUBT_SCORE ? CONFIRM_WEAK : CONFIRM_SCORE;
    const seen: Found[] = [];
    let denied = 0;
    const windows = contextWindows(find, turns);
    // Two are needed in any case.
    for (const looks of [windows.slice(0, 2), windows.slice(2)]) {
      const all = await this.#lookAt(picture, looks, needed);
      if (find.lifted) {
        // What was seen with more light may need none: where nothing is dark a lightened window shows nobody.
        const plain = looks.map((window) => ({ ...window, lifted: false }));
        for (const [i, seenPlain] of (await this.#lookAt(picture, plain, needed)).entries())
          all[i] = [...all[i]!, ...seenPlain];
      }
      for (const [i, window] of looks.entries()) {
        const same = all[i]!.map((d) => asFound(d, window, picture.format)).filter(
          (d) =>
            overlapWithin(picture.format, d, find) > CONFIRM_OVERLAP && !sliver(d, find, picture.format, certainFrom),
        );
        const best = same.sort((a, b) => b.score - a.score)[0];
        if (best) seen.push(best);
        else denied++;
      }
      if (seen.length === 2) return seen.find((d) => !d.clipped) ?? find;
      if (denied === 2) return undefined;
    }
    return undefined;
  }

  /** Looks again for faces that the first look lost: tilted to the side they were leaning to, else to either in turn. */
  async lookTurned(picture: Picture, lost: readonly Expected[]): Promise<Found[]> {
    const first = this.#parity++;
    const windows = lost.slice(0, MAX_RETRIES).map((e, i) => {
      if (turnsOf(e.angle) !== 0) return windowAround(scaled(e.box, 2.2), picture.format);
      const [left, right] = turnedWindows(e.box, picture.format);
      const leaning = e.roll !== undefined && Math.abs(e.roll) > CLEAR_ROLL;
      return (leaning ? e.roll! < 0 : (first + i) % 2 === 0) ? left! : right!;
    });
    return this.#run(picture, windows);
  }

  async #run(picture: Picture, windows: readonly DetectorWindow[]): Promise<Found[]> {
    return mergeLooks(await this.#detect(picture, windows), this.#options.trustedScore);
  }

  async #detect(picture: Picture, windows: readonly DetectorWindow[]): Promise<Found[]> {
    const all = await this.#lookAt(picture, windows, this.#options.followScore);
    return windows.flatMap((window, i) => all[i]!.map((d) => asFound(d, window, picture.format)));
  }

  /** @returns what is found in each window */
  async #lookAt(picture: Picture, windows: readonly DetectorWindow[], minScore: number): Promise<Detection[][]> {
    const together = await this.#finder.detectAll?.(picture, windows, minScore);
    if (together) return together;
    const all: Detection[][] = [];
    for (const window of windows) all.push(await this.#finder.detect(picture, window, minScore));
    return all;
  }
}
