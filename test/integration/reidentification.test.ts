import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const london = resolve('../shared/data/london');
const PEOPLE = Number(process.env.REID_PEOPLE ?? 12);

interface Scores {
  readonly n: number;
  readonly metrics: Record<string, { readonly value: number }>;
}

describe.skipIf(!existsSync(london))('re-identification of the composed picture (needs ../shared/data/london)', () => {
  it('takes nobody for the original, and finds a face where one was', { timeout: 900_000 }, () => {
    const folder = mkdtempSync(join(tmpdir(), 'understudy-reid-'));
    const names = readdirSync(london).filter((name) => name.endsWith('_neutral.jpg'));
    // Spread over the whole set, so that men and women of all its groups are among them.
    const step = Math.max(1, Math.floor(names.length / PEOPLE));
    const chosen = names.filter((_, i) => i % step === 0).slice(0, PEOPLE);
    for (const name of chosen) symlinkSync(join(london, name), join(folder, name));
    const json = join(folder, 'scores.json');
    const args = ['evaluate', '--originals', folder, '--method', 'generate', '--json', json, '--progress', 'none'];
    const run = spawnSync(process.execPath, ['dist/main.js', ...args], { encoding: 'utf8' });
    expect(run.status, run.stderr).toBe(0);
    const { n, metrics } = JSON.parse(readFileSync(json, 'utf8')) as Scores;
    const shown = ['reidCosineA', 'reidTprAtFar1e3A', 'reidTprAtFar1e3B', 'reidTprAtFar1e3C', 'detectionRate'];
    console.info(`${n} people: ${shown.map((name) => `${name} ${metrics[name]?.value.toFixed(3)}`).join(', ')}`);
    expect(n).toBe(chosen.length);
    for (const judge of ['A', 'B', 'C'])
      expect(metrics[`reidTprAtFar1e3${judge}`]?.value, judge).toBeLessThanOrEqual(0.02);
    expect(metrics.detectionRate?.value).toBeGreaterThan(0.9);
  });
});
