import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { listFolder, listInputs, pairByName } from '../../src/evaluate/pairs.ts';

/** A folder with empty files of these names. */
function folderOf(...names: string[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'understudy-pairs-'));
  for (const name of names) writeFileSync(join(folder, name), '');
  return folder;
}

describe('what a folder holds', () => {
  it('takes neither of two pictures of one name, and says so', () => {
    const { files, ambiguous } = listFolder(folderOf('a.jpg', 'a.png', 'b.jpg'));
    expect(files.map((f) => f.name)).toEqual(['b']);
    expect(ambiguous).toEqual([{ name: 'a', reason: 'several files have this name: a.jpg, a.png' }]);
  });

  it('takes a picture and a video of one name for two things', () => {
    const folder = folderOf('a.jpg', 'a.mp4');
    const { files, ambiguous } = listFolder(folder);
    expect(files.map((f) => f.kind).sort()).toEqual(['picture', 'video']);
    expect(ambiguous).toEqual([]);
    const { pairs, leftOut } = pairByName(files, files);
    expect(pairs.every((p) => p.original.path === p.anonymized.path)).toBe(true);
    expect({ pairs: pairs.length, leftOut }).toEqual({ pairs: 2, leftOut: [] });
  });

  it('names what it cannot read, folders among it, but neither the groups nor hidden files', () => {
    const folder = folderOf('a.jpg', 'photo.heic', 'info.csv', '.DS_Store');
    mkdirSync(join(folder, 'more'));
    const { other } = listFolder(folder);
    expect(other.map((o) => o.name)).toEqual(['more', 'photo.heic']);
    expect(other[0]!.reason).toMatch(/no picture or video that is read \(\.jpg/);
  });

  it('looks at the names that were asked for alone', () => {
    const { files, other } = listFolder(folderOf('a_neutral.jpg', 'b_smiling.jpg', 'b_smiling.txt'), '_neutral');
    expect(files.map((f) => f.name)).toEqual(['a_neutral']);
    expect(other).toEqual([]);
  });

  it('refuses a folder in which nothing can be told apart, with the reason', () => {
    expect(() => listInputs(folderOf('a.jpg', 'a.png'))).toThrow(/several files have this name: a\.jpg, a\.png/);
    expect(() => listInputs(folderOf('a.txt'))).toThrow(/holds no picture or video/);
  });
});
