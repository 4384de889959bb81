import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { scratch, understudy } from '../support/command.ts';

/** A talking head that fills a standing picture; not in the repository. */
const CLIP = '../shared/data/clips/d13.mp4';
const { at } = scratch('close-up');

describe.skipIf(!existsSync(CLIP))(
  'a face that fills a standing picture (needs the clips)',
  { timeout: 180_000 },
  () => {
    it('is one person, generated on every frame, whatever turned windows show of it', () => {
      const args = ['run', CLIP, at('out.mp4'), '--duration', '3.8', '--audio', 'drop', '--report', at('report.json')];
      const run = understudy(args);
      expect(run.stderr).toBe('');
      expect(run.code).toBe(0);
      const { totals, faceTracks } = JSON.parse(readFileSync(at('report.json'), 'utf8'));
      expect(totals).toMatchObject({ frames: 114, generated: 114, solid: 0, held: 0 });
      expect(faceTracks).toHaveLength(1);
    });
  },
);
