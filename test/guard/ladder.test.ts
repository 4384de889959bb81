import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Cover, TrackedFace } from '../../src/core/face-track.ts';
import { AuditRecord, withoutFace } from '../../src/guard/audit-record.ts';
import { stepDown } from '../../src/guard/ladder.ts';

const steps: Cover[] = ['generated', 'held', 'solid'];
const face = (cover: Cover): TrackedFace => ({
  trackId: 1,
  personId: 1,
  cover,
  region: { x: 0, y: 0, width: 10, height: 10 },
  roll: 0,
  score: 0.9,
  toPicture: { a: 1, b: 0, c: 0, d: 0, e: 1, f: 0 },
  driven: new Float32Array(140),
  own: new Float32Array(140),
  raw: new Float32Array(140),
  faceSlot: 3,
});

describe('ladder', () => {
  it('only ever goes towards less information', () => {
    fc.assert(
      fc.property(fc.constantFrom(...steps), fc.constantFrom(...steps), (from, to) => {
        const result = stepDown(face(from), to);
        expect(steps.indexOf(result.cover)).toBeGreaterThanOrEqual(steps.indexOf(from));
        expect(steps.indexOf(result.cover)).toBeGreaterThanOrEqual(steps.indexOf(to));
        if (result.cover === 'solid' && from !== 'solid') expect(result.own).toBeUndefined();
        expect(result.region).toEqual(face(from).region);
      }),
    );
  });
});

describe('AuditRecord', () => {
  it('counts per FaceTrack and in all', () => {
    const audit = new AuditRecord();
    audit.frame(0, 'composed', []);
    audit.frame(1, 'composed', [{ trackId: 7, cover: 'generated' }]);
    audit.frame(2, 'composed', [{ trackId: 7, cover: 'solid' }]);
    audit.frame(3, 'veiled', [{ trackId: 7, cover: 'generated' }], 'damaged');
    expect(audit.totals).toEqual({
      frames: 4,
      framesWithoutFace: 1,
      veiledFrames: 1,
      veiledBy: { damaged: 1 },
      faces: 2,
      generated: 1,
      held: 0,
      lateFrames: 0,
      solid: 1,
    });
    expect(audit.faceTracks).toEqual([
      { trackId: 7, firstFrame: 1, lastFrame: 3, generated: 1, held: 0, solid: 1, veiled: 1 },
    ]);
  });
});

describe('a run without a face', () => {
  const audit = (...kinds: ('shown' | 'veiled' | 'face')[]) => {
    const record = new AuditRecord();
    for (const [i, kind] of kinds.entries()) {
      if (kind === 'veiled') record.frame(i, 'veiled', [], 'damaged');
      else record.frame(i, 'composed', kind === 'face' ? [{ trackId: 1, cover: 'solid' }] : []);
    }
    return withoutFace(record.totals);
  };

  it('is one although a frame of it was veiled, but not one that was veiled throughout', () => {
    expect(audit('shown', 'shown')).toBe(true);
    expect(audit('veiled', 'shown')).toBe(true);
    expect(audit()).toBe(true);
    expect(audit('veiled', 'veiled')).toBe(false);
    expect(audit('veiled', 'shown', 'face')).toBe(false);
  });
});
