import type { Picture, PupilFinder } from '../core/vision.ts';
import { findPupils, type OpenEye, openEyes } from './pupils.ts';

/** How fast the difference between the two eyes is learnt, per look. */
const LEARN = 0.25;
/** A gaze that moved further than this between two looks (eye-square sides) says nothing about that difference. */
const SACCADE = 0.03;

interface Offset {
  readonly x: number;
  readonly y: number;
}

/**
 * The pupils of one FaceTrack over time. Eyes move together: once both are known one of them is looked at on each frame, in turn, and the
 * other is put where the first one looks, plus the difference between the two (the head's turn, nearness), which changes slowly.
 * That halves the work, which is a tenth of what a face costs to analyse.
 */
export class Gaze {
  #known: [Offset | undefined, Offset | undefined] = [undefined, undefined];
  #difference: Offset = { x: 0, y: 0 };
  #next = 0;

  reset(): void {
    this.#known = [undefined, undefined];
  }

  /** As `findPupils`: 4 numbers in picture pixels, −1000 where unknown or the eye is closed. */
  async find(finder: PupilFinder, picture: Picture, points: Float32Array, roll: number): Promise<Float32Array> {
    const eyes = openEyes(points, roll);
    const [left, right] = this.#known;
    if (eyes.length < 2 || !left || !right) return this.#lookAtBoth(finder, picture, eyes);
    const seen = this.#next;
    this.#next = 1 - seen;
    const pupils = await findPupils(finder, picture, [eyes[seen]!]);
    const offset = offsetOf(pupils, eyes[seen]!);
    if (!offset) return this.#lookAtBoth(finder, picture, eyes);
    // `#difference` is right minus left; the other eye was seen one frame ago.
    const sign = seen === 1 ? 1 : -1;
    const other = this.#known[1 - seen]!;
    const apart = { x: sign * (offset.x - other.x), y: sign * (offset.y - other.y) };
    const surprise = { x: apart.x - this.#difference.x, y: apart.y - this.#difference.y };
    if (Math.hypot(surprise.x, surprise.y) < SACCADE) {
      this.#difference = {
        x: this.#difference.x + LEARN * surprise.x,
        y: this.#difference.y + LEARN * surprise.y,
      };
    }
    const guessed = { x: offset.x - sign * this.#difference.x, y: offset.y - sign * this.#difference.y };
    this.#known[seen] = offset;
    this.#known[1 - seen] = guessed;
    place(pupils, eyes[1 - seen]!, guessed);
    return pupils;
  }

  async #lookAtBoth(finder: PupilFinder, picture: Picture, eyes: readonly OpenEye[]): Promise<Float32Array> {
    const pupils = await findPupils(finder, picture, eyes);
    this.#known = [undefined, undefined];
    for (const eye of eyes) this.#known[eye.index] = offsetOf(pupils, eye);
    const [left, right] = this.#known;
    if (left && right) this.#difference = { x: right.x - left.x, y: right.y - left.y };
    return pupils;
  }
}

/** Of a pupil from the middle of its eye, in sides of the eye's square, along the square's axes. */
function offsetOf(pupils: Float32Array, eye: OpenEye): Offset | undefined {
  const [px, py] = [pupils[2 * eye.index]!, pupils[2 * eye.index + 1]!];
  if (px < -999) return undefined;
  const [dx, dy] = [(px - eye.cx) / eye.side, (py - eye.cy) / eye.side];
  const [cos, sin] = [Math.cos(eye.angle), Math.sin(eye.angle)];
  return { x: cos * dx + sin * dy, y: cos * dy - sin * dx };
}

function place(pupils: Float32Array, eye: OpenEye, offset: Offset): void {
  const [cos, sin] = [Math.cos(eye.angle), Math.sin(eye.angle)];
  pupils[2 * eye.index] = eye.cx + eye.side * (cos * offset.x - sin * offset.y);
  pupils[2 * eye.index + 1] = eye.cy + eye.side * (sin * offset.x + cos * offset.y);
}
