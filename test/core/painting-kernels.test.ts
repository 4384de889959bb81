import { describe, expect, it } from 'vitest';
import { Scratch } from '../../src/core/simd/scratch.ts';

const random = (n: number) => Math.floor(Math.random() * n);
const bytes = (n: number) => Uint8Array.from({ length: n }, () => random(256));

/** A scratch memory with these bytes in it. */
function laidOut(...parts: Uint8Array[]) {
  const scratch = new Scratch();
  scratch.clear();
  const at = parts.map((part) => scratch.take(part.length));
  for (const [i, part] of parts.entries()) new Uint8Array(scratch.buffer, at[i], part.length).set(part);
  return {
    ...scratch,
    kernels: scratch.kernels,
    at,
    view: (i: number) => new Uint8Array(scratch.buffer, at[i], parts[i]!.length),
  };
}

/** Mostly covered or mostly bare, as the pixels of a row are. */
function pixels(n: number): Uint8Array {
  const row = bytes(4 * n);
  const usual = random(3);
  for (let i = 3; i < row.length; i += 4) if (random(12) > 0 && usual < 2) row[i] = 255 * usual;
  return row;
}

describe('drawSpan', () => {
  it('is the bilinear sample with weights of together 256, rounded', () => {
    const side = 40;
    for (const count of [1, 3, 4, 7, 64]) {
      const texels = bytes(4 * side * side);
      const { kernels, at, view } = laidOut(texels, new Uint8Array(4 * count));
      const [dx, dy] = [random(30_000), random(8_000)];
      const [x, y] = [random(65_536), 3 * 65_536 + random(65_536)];
      kernels.drawSpan(at[1]!, count, at[0]!, side, x, y, dx, dy);
      for (let i = 0; i < count; i++) {
        const [u, v] = [x + i * dx, y + i * dy];
        const [right, below] = [(u >> 8) & 255, (v >> 8) & 255];
        const w3 = (right * below + 128) >> 8;
        const weights = [256 - right - below + w3, right - w3, below - w3, w3];
        const p = (v >> 16) * side + (u >> 16);
        for (let k = 0; k < 4; k++) {
          const four = [p, p + 1, p + side, p + side + 1].map((t) => texels[4 * t + k]!);
          const sum = four.reduce((total, value, j) => total + value * weights[j]!, 128);
          expect(view(1)[4 * i + k], `sample ${i} of ${count}, byte ${k}`).toBe(sum >> 8);
        }
      }
    }
  });
});

describe('blendLumaRow', () => {
  it('mixes by alpha, with noise, clipped, and leaves what is bare', () => {
    for (let run = 0; run < 60; run++) {
      const n = 1 + random(70);
      const [face, luma, noise] = [pixels(n), bytes(n), bytes(n)];
      const { kernels, at, view } = laidOut(face, luma, noise);
      kernels.blendLumaRow(at[0]!, at[1]!, at[2]!, n);
      const wanted = luma.map((picture, i) => {
        const value = Math.max(0, Math.min(255, face[4 * i]! + ((noise[i]! << 24) >> 24)));
        const alpha = face[4 * i + 3]!;
        return Math.floor((value * alpha + picture * (255 - alpha) + 127) / 255);
      });
      expect(view(1)).toEqual(wanted);
    }
  });
});

describe('blendChromaRow', () => {
  it('takes the mean of the covered of four pixels, and the strongest cover', () => {
    for (let run = 0; run < 120; run++) {
      const width = 1 + random(40);
      const half = (width + 1) >> 1;
      const rows = [pixels(width), pixels(width)] as const;
      const chroma = [bytes(half), bytes(half)] as const;
      const { kernels, at, view } = laidOut(...rows, ...chroma);
      const single = random(4) === 0;
      kernels.blendChromaRow(at[0]!, single ? at[0]! : at[1]!, at[2]!, at[3]!, width);
      for (const [k, before] of chroma.entries()) {
        const wanted = before.map((picture, i) => {
          const columns = [2 * i, Math.min(width - 1, 2 * i + 1)];
          const four = [rows[0], single ? rows[0] : rows[1]].flatMap((row) =>
            columns.map((x) => ({ value: row[4 * x + 1 + k]!, alpha: row[4 * x + 3]! })),
          );
          const weight = four.reduce((sum, p) => sum + p.alpha, 0);
          const sum = four.reduce((total, p) => total + p.alpha * p.value, 0);
          if (weight === 0) return picture;
          if (weight === 4 * 255) return (sum / 255 + 2) >> 2;
          const alpha = Math.max(...four.map((p) => p.alpha));
          return Math.floor(((sum / weight) * alpha + picture * (255 - alpha) + 127) / 255);
        });
        expect(view(2 + k)).toEqual(wanted);
      }
    }
  });
});
