import type { Region } from '../core/face-track.ts';
import { BOX_MARGIN } from './cover-region.ts';
import { around, centreX, centreY, contains, scaled } from './geometry.ts';

/** Position and speed of one coordinate under white acceleration noise. */
class Coordinate {
  value: number;
  speed = 0;
  #pVV: number;
  #pVS = 0;
  #pSS: number;

  constructor(value: number, measurementSd: number, speedSd: number) {
    this.value = value;
    this.#pVV = measurementSd ** 2;
    this.#pSS = speedSd ** 2;
  }

  get sd(): number {
    return Math.sqrt(this.#pVV);
  }

  predict(dt: number, accelerationSd: number): void {
    const q = accelerationSd ** 2;
    this.value += this.speed * dt;
    this.#pVV += 2 * dt * this.#pVS + dt * dt * this.#pSS + (q * dt ** 4) / 4;
    this.#pVS += dt * this.#pSS + (q * dt ** 3) / 2;
    this.#pSS += q * dt * dt;
  }

  update(measured: number, measurementSd: number): void {
    const s = this.#pVV + measurementSd ** 2;
    const kV = this.#pVV / s;
    const kS = this.#pVS / s;
    const innovation = measured - this.value;
    this.value += kV * innovation;
    this.speed += kS * innovation;
    this.#pSS -= kS * this.#pVS;
    this.#pVS *= 1 - kV;
    this.#pVV *= 1 - kV;
  }
}

/** Noise in box sizes (and a second): a detector's box wobbles by 4 %, a head turns around within a third of a second. */
const MEASUREMENT = 0.04;
const ACCELERATION = 12;
const SIZE_ACCELERATION = 3;
/** Speed that is left after one second without a measurement. */
const COASTING_DECAY = 0.05;

/** Constant-velocity motion of a face's box, in picture pixels and seconds. */
export class BoxMotion {
  #cx!: Coordinate;
  #cy!: Coordinate;
  #width!: Coordinate;
  #height!: Coordinate;

  constructor(box: Region) {
    this.#begin(box);
  }

  #begin(box: Region): void {
    const sd = MEASUREMENT * this.#scale(box);
    this.#cx = new Coordinate(centreX(box), sd, 40 * sd);
    this.#cy = new Coordinate(centreY(box), sd, 40 * sd);
    this.#width = new Coordinate(box.width, sd, 10 * sd);
    this.#height = new Coordinate(box.height, sd, 10 * sd);
  }

  #scale(box: Region): number {
    return (box.width + box.height) / 2;
  }

  get box(): Region {
    return around(this.#cx.value, this.#cy.value, Math.max(4, this.#width.value), Math.max(4, this.#height.value));
  }

  /** How uncertain the centre is, pixels (one standard deviation). */
  get positionSd(): number {
    return Math.max(this.#cx.sd, this.#cy.sd);
  }

  /** @param coasting no measurement came last time: the box keeps its size and comes to rest */
  predict(dt: number, coasting: boolean): Region {
    const size = this.#scale(this.box);
    if (coasting) {
      const decay = COASTING_DECAY ** dt;
      this.#cx.speed *= decay;
      this.#cy.speed *= decay;
      this.#width.speed = 0;
      this.#height.speed = 0;
    }
    this.#cx.predict(dt, ACCELERATION * size);
    this.#cy.predict(dt, ACCELERATION * size);
    this.#width.predict(dt, SIZE_ACCELERATION * size);
    this.#height.predict(dt, SIZE_ACCELERATION * size);
    return this.box;
  }

  update(measured: Region): void {
    const sd = MEASUREMENT * this.#scale(measured);
    this.#cx.update(centreX(measured), sd);
    this.#cy.update(centreY(measured), sd);
    this.#width.update(measured.width, sd);
    this.#height.update(measured.height, sd);
    // A jolt of the camera, a sudden zoom, pictures that are missing: on its way to where the face is the box would leave a part of it bare.
    if (!contains(scaled(this.box, BOX_MARGIN), measured)) this.#begin(measured);
  }
}
