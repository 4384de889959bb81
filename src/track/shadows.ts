import type { Region } from '../core/face-track.ts';
import type { ColourSpec } from '../core/video-frame.ts';
import type { DetectorWindow, Picture } from '../core/vision.ts';
import { scaled } from './geometry.ts';
import { COLUMNS, ROWS, thumbnail } from './scene-cut.ts';
import { tileGrid, wholePicture } from './tiles.ts';

/** Luma of 0…255 between which a part of the picture is dark, and not a bar; and so many parts of 576 that are, and that are not. */
const [BAR, DARK] = [3, 56];
const MIN_DARK = 4;
const MIN_BRIGHT = 25;
/** So much darker or lighter, in so many dark parts, and somebody may have come in. */
const CHANGE = 4;
const MIN_CHANGED = 2;
/** How far around a face that is followed its hair and body move, in its size. */
const ABOUT = 2;
/** Frames between two looks where dark parts change (recordings look back), and where they do not; every so many looks a tile as well. */
const PAUSE = { live: 1, file: 4 } as const;
const LONGEST_PAUSE = 12;
const TILE_EVERY = 3;
/** Tiles at once when a scene begins; of larger pictures the others come in turn. */
const MAX_TILES = 24;

/**
 * Says which windows are to be looked at with their dark parts lightened: a face before a window, the sky or a lamp is too dark for the detector, and the
 * picture as a whole is not. Hair, coats and shadows are dark in nearly every picture: only where they change is it worth another look.
 */
export class Shadows {
  readonly #pause: number;
  #seen: Float32Array = new Float32Array(COLUMNS * ROWS);
  #spare: Float32Array = new Float32Array(COLUMNS * ROWS);
  #frames = LONGEST_PAUSE;
  #looks = 0;
  /** Windows were named for the last picture. */
  #due = false;

  constructor(mode: 'file' | 'live') {
    this.#pause = PAUSE[mode];
  }

  /** @param faces those that are followed, picture pixels @param everywhere a scene begins */
  windows(picture: Picture, faces: readonly Region[], everywhere: boolean): DetectorWindow[] {
    const { format } = picture;
    this.#frames++;
    this.#due = false;
    if (!everywhere && this.#frames < this.#pause) return [];
    const now = thumbnail(picture, this.#spare);
    const dark = darkParts(now, format.colour);
    if (!dark) return [];
    const changed = dark.filter((i) => Math.abs(now[i]! - this.#seen[i]!) > CHANGE && !within(i, picture, faces));
    if (!everywhere && changed.length < MIN_CHANGED && this.#frames < LONGEST_PAUSE) return [];
    const tiles = tileGrid(format, 2);
    const turn = this.#looks;
    this.#due = true;
    const further = everywhere
      ? tiles.slice(0, MAX_TILES)
      : turn % TILE_EVERY === 0 && tiles.length > 0
        ? [tiles[(turn / TILE_EVERY) % tiles.length]!]
        : [];
    return lifted([wholePicture(format), ...further]);
  }

  /** The windows have been looked at: not known before, for of a look that failed on the way nobody has heard. */
  looked(): void {
    if (!this.#due) return;
    [this.#seen, this.#spare] = [this.#spare, this.#seen];
    this.#frames = 0;
    this.#looks++;
    this.#due = false;
  }
}

/** The same windows with their dark parts lightened. */
export const lifted = (windows: readonly DetectorWindow[]): DetectorWindow[] =>
  windows.map((window) => ({ ...window, lifted: true }));

/** Which parts are dark; undefined where too few are, or nearly all: then the whole picture is shown to the detector with more light. */
function darkParts(parts: Float32Array, { range }: ColourSpec): number[] | undefined {
  const [offset, scale] = range === 'full' ? [0, 1] : [16, 255 / 219];
  const dark: number[] = [];
  let bright = 0;
  for (let i = 0; i < parts.length; i++) {
    const luma = (parts[i]! - offset) * scale;
    if (luma >= DARK) bright++;
    else if (luma >= BAR) dark.push(i);
  }
  return dark.length < MIN_DARK || bright < MIN_BRIGHT ? undefined : dark;
}

function within(part: number, { format }: Picture, faces: readonly Region[]): boolean {
  const x = (((part % COLUMNS) + 0.5) * format.width) / COLUMNS;
  const y = ((Math.floor(part / COLUMNS) + 0.5) * format.height) / ROWS;
  return faces.some((face) => {
    const around = scaled(face, ABOUT);
    return x > around.x && x < around.x + around.width && y > around.y && y < around.y + around.height;
  });
}
