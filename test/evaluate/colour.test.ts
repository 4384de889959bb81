import { describe, expect, it } from 'vitest';
import { ciede2000 } from '../../src/evaluate/metrics/ciede2000.ts';
import { colourDifference } from '../../src/evaluate/metrics/colour-difference.ts';
import { labPicture, srgbToLab } from '../../src/evaluate/metrics/lab.ts';

/** Sharma, Wu & Dalal 2005, table 1: L1 a1 b1 L2 a2 b2 ΔE00. */
const SHARMA = `
50 2.6772 -79.7751 50 0 -82.7485 2.0425
50 3.1571 -77.2803 50 0 -82.7485 2.8615
50 2.8361 -74.0200 50 0 -82.7485 3.4412
50 -1.3802 -84.2814 50 0 -82.7485 1.0000
50 -1.1848 -84.8006 50 0 -82.7485 1.0000
50 -0.9009 -85.5211 50 0 -82.7485 1.0000
50 0 0 50 -1 2 2.3669
50 -1 2 50 0 0 2.3669
50 2.4900 -0.0010 50 -2.4900 0.0009 7.1792
50 2.4900 -0.0010 50 -2.4900 0.0010 7.1792
50 2.4900 -0.0010 50 -2.4900 0.0011 7.2195
50 2.4900 -0.0010 50 -2.4900 0.0012 7.2195
50 -0.0010 2.4900 50 0.0009 -2.4900 4.8045
50 -0.0010 2.4900 50 0.0010 -2.4900 4.8045
50 -0.0010 2.4900 50 0.0011 -2.4900 4.7461
50 2.5 0 50 0 -2.5 4.3065
50 2.5 0 73 25 -18 27.1492
50 2.5 0 61 -5 29 22.8977
50 2.5 0 56 -27 -3 31.9030
50 2.5 0 58 24 15 19.4535
50 2.5 0 50 3.1736 0.5854 1.0000
50 2.5 0 50 3.2972 0 1.0000
50 2.5 0 50 1.8634 0.5757 1.0000
50 2.5 0 50 3.2592 0.3350 1.0000
60.2574 -34.0099 36.2677 60.4626 -34.1751 39.4387 1.2644
63.0109 -31.0961 -5.8663 62.8187 -29.7946 -4.0864 1.2630
61.2901 3.7196 -5.3901 61.4292 2.2480 -4.9620 1.8731
35.0831 -44.1164 3.7933 35.0232 -40.0716 1.5901 1.8645
22.7233 20.0904 -46.6940 23.0331 14.9730 -42.5619 2.0373
36.4612 47.8580 18.3852 36.2715 50.5065 21.2231 1.4146
90.8027 -2.0831 1.4410 91.1528 -1.6435 0.0447 1.4441
90.9257 -0.5406 -0.9208 88.6381 -0.8985 -0.7239 1.5381
6.7747 -0.2908 -2.4247 5.8714 -0.0985 -2.2286 0.6377
2.0776 0.0795 -1.1350 0.9033 -0.0636 -0.5514 0.9082`;

describe('colour differences', () => {
  it('gives the published CIEDE2000 of all 34 test pairs, in both directions', () => {
    for (const row of SHARMA.trim().split('\n')) {
      const [l1, a1, b1, l2, a2, b2, e] = row.split(' ').map(Number) as [
        number,
        number,
        number,
        number,
        number,
        number,
        number,
      ];
      expect(ciede2000(l1, a1, b1, l2, a2, b2), row).toBeCloseTo(e, 4);
      expect(ciede2000(l2, a2, b2, l1, a1, b1), row).toBeCloseTo(e, 4);
    }
  });

  it('puts white at L* 100 and mid grey (119) at L* 50 without colour', () => {
    const lab = [0, 0, 0];
    srgbToLab(1, 1, 1, lab);
    expect(lab[0]).toBeCloseTo(100, 3);
    expect(Math.abs(lab[1]!) + Math.abs(lab[2]!)).toBeLessThan(0.02);
    srgbToLab(119 / 255, 119 / 255, 119 / 255, lab);
    expect(lab[0]).toBeCloseTo(50.03, 1);
  });

  it('shows a pure chroma shift in ΔC and not in ΔL, and nothing for identical pictures', () => {
    const lab = Float32Array.from([60, 20, 15, 50, 10, 12]);
    const richer = lab.map((v, i) => (i % 3 === 0 ? v : v * 1.3));
    const mask = new Uint8Array([1, 1]);
    const d = colourDifference(lab, richer, mask);
    expect(d.deltaL).toBe(0);
    expect(d.deltaC).toBeCloseTo(0.3 * ((25 + Math.hypot(10, 12)) / 2), 3);
    expect(d.deltaE).toBeGreaterThan(2);
    expect(colourDifference(lab, lab, mask).deltaE).toBe(0);
  });

  it('forgives swapped pixels in the mean shift only', () => {
    const a = labPicture(Float32Array.from([0.2, 0.2, 0.2, 0.8, 0.7, 0.6]));
    const swapped = Float32Array.from([...a.slice(3), ...a.slice(0, 3)]);
    const d = colourDifference(a, swapped, new Uint8Array([1, 1]));
    expect(d.meanShiftL).toBeCloseTo(0, 4);
    expect(d.deltaL).toBeGreaterThan(10);
  });

  it('is not a number over an empty mask', () => {
    expect(colourDifference(new Float32Array(3), new Float32Array(3), new Uint8Array(1)).deltaE).toBeNaN();
  });
});
