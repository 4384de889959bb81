import type { Region } from '../core/face-track.ts';

export const area = (r: Region): number => r.width * r.height;
export const centreX = (r: Region): number => r.x + r.width / 2;
export const centreY = (r: Region): number => r.y + r.height / 2;

export function intersection(a: Region, b: Region): number {
  const width = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
  const height = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
  return width > 0 && height > 0 ? width * height : 0;
}

export function intersectionOverUnion(a: Region, b: Region): number {
  const shared = intersection(a, b);
  return shared === 0 ? 0 : shared / (area(a) + area(b) - shared);
}

/** The part of the smaller one that lies in the other. */
export function containment(a: Region, b: Region): number {
  const smaller = Math.min(area(a), area(b));
  return smaller > 0 ? intersection(a, b) / smaller : 0;
}

export function union(a: Region, b: Region): Region {
  const x = Math.min(a.x, b.x);
  const y = Math.min(a.y, b.y);
  return {
    x,
    y,
    width: Math.max(a.x + a.width, b.x + b.width) - x,
    height: Math.max(a.y + a.height, b.y + b.height) - y,
  };
}

/** Whether all of the inner one lies in the outer one. */
export function contains(outer: Region, inner: Region): boolean {
  return (
    inner.x >= outer.x &&
    inner.y >= outer.y &&
    inner.x + inner.width <= outer.x + outer.width &&
    inner.y + inner.height <= outer.y + outer.height
  );
}

/** Grown (or shrunk) about its centre. */
export function scaled(r: Region, factor: number): Region {
  return around(centreX(r), centreY(r), r.width * factor, r.height * factor);
}

export function around(cx: number, cy: number, width: number, height: number): Region {
  return { x: cx - width / 2, y: cy - height / 2, width, height };
}

/** Angle in (−π, π]. */
export function wrapAngle(angle: number): number {
  const turn = 2 * Math.PI;
  const wrapped = ((angle % turn) + turn) % turn;
  return wrapped > Math.PI ? wrapped - turn : wrapped;
}
