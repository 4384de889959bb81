import { linkSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { describe, expect, it } from 'vitest';
import { settingsStamp } from '../../src/cli/folder-journal.ts';
import { planFolder } from '../../src/cli/media-files.ts';
import { loadConfig } from '../../src/config/loader.ts';
import { scratch } from '../support/command.ts';

const { at } = scratch('plan');
const put = (...names: string[]) => {
  for (const name of names) {
    mkdirSync(dirname(at(name)), { recursive: true });
    writeFileSync(at(name), name);
  }
};
const plan = (input: string, output: string, { again = false, overwrite = false, settings = 's' } = {}) => {
  const { todo, done, refused, journal } = planFolder(at(input), at(output), { again, overwrite, settings });
  return {
    todo: todo.map((file) => file.input.slice(at('').length + 1)),
    done: done.length,
    refused: refused.map(({ error }) => error.message.replaceAll(`${at('')}/`, '')),
    journal,
  };
};

describe('what a folder run may write', () => {
  it('replaces no original that lies where its output would be', () => {
    put('up/trip/a.jpg', 'up/trip/x.jpg', 'up/trip/trip/x.jpg', 'up/a.jpg');
    // Run into the folder above: up/a.jpg is somebody else's, and up/trip/x.jpg an input of this run.
    const { todo, refused } = plan('up/trip', 'up');
    expect(todo).toEqual(['up/trip/x.jpg']);
    expect(refused).toEqual([
      'the output up/a.jpg is there already, and no run has made it',
      'the output up/trip/x.jpg is an input: an original would be overwritten',
    ]);
    expect(plan('up/trip', 'up', { overwrite: true }).refused).toEqual([
      'the output up/trip/x.jpg is an input: an original would be overwritten',
    ]);
  });

  it('knows an original by its links too', () => {
    put('links/in/a.jpg', 'links/in/b.jpg', 'links/out/none.txt');
    linkSync(at('links/in/b.jpg'), at('links/out/a.jpg'));
    expect(plan('links/in', 'links/out', { overwrite: true })).toMatchObject({
      todo: ['links/in/b.jpg'],
      refused: ['the output links/out/a.jpg is an input: an original would be overwritten'],
    });
  });

  it('makes one output of one input only', () => {
    put('two/b.bmp', 'two/b.bmp.png', 'two/c.png', 'two/v.gif', 'two/v.gif.mp4');
    const { todo, refused } = plan('two', 'two-out');
    expect(todo).toEqual(['two/c.png']);
    expect(refused).toHaveLength(4);
    expect(refused[0]).toBe('two/b.bmp and two/b.bmp.png would both become two-out/b.bmp.png');
  });

  it('does not search the output folder, by whichever name it is called', () => {
    put('real/a.jpg', 'real/out/a.jpg');
    symlinkSync(at('real'), at('way'));
    for (const output of ['real/out', 'way/out']) {
      const { todo, refused } = plan('real', output);
      expect(todo).toEqual([]);
      expect(refused).toEqual([`the output ${output}/a.jpg is there already, and no run has made it`]);
    }
    expect(() => plan('real', 'way')).toThrow(/is the input folder/);
  });

  it('replaces what a run has made: with other settings, changed or incomplete', () => {
    put('known/a.jpg', 'known/b.jpg', 'known-out/a.jpg', 'known-out/b.jpg');
    const { journal } = plan('known', 'known-out');
    journal.record(at('known/a.jpg'), at('known-out/a.jpg'), 'faces');
    journal.record(at('known/b.jpg'), at('known-out/b.jpg'), 'incomplete');
    expect(plan('known', 'known-out')).toMatchObject({ todo: ['known/b.jpg'], done: 1, refused: [] });
    for (const options of [{ settings: 'others' }, { again: true }])
      expect(plan('known', 'known-out', options)).toMatchObject({ done: 0, refused: [] });
    put('known-out/a.jpg');
    writeFileSync(at('known-out/a.jpg'), 'something else');
    expect(plan('known', 'known-out')).toMatchObject({ done: 0, refused: [] });
  });

  it('says so when what runs have made cannot be read', () => {
    put('shut/a.jpg', 'shut-out/.understudy.jsonl/x');
    expect(() => plan('shut', 'shut-out')).toThrow(/shut-out\/\.understudy\.jsonl cannot be read \(EISDIR/);
  });

  it('tells settings apart that can be seen, and no others', () => {
    const stamp = (...sets: string[]) => settingsStamp(loadConfig({ sets, env: {} }));
    for (const set of ['mode=blur', 'egress.crf=30', 'post.colour=false']) expect(stamp(set), set).not.toBe(stamp());
    for (const set of [`sessionKey=${'5a'.repeat(16)}`, 'infer.maxBatchSize=2', 'serve.port=1'])
      expect(stamp(set), set).toBe(stamp());
  });
});
