import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const files = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter(
  (f) => f.endsWith('.ts') && !f.endsWith('.d.ts'),
);
const text = (file: string) => readFileSync(`src/${file}`, 'utf8');
const imports = (file: string) =>
  [...text(file).matchAll(/from '(\.[^']+)'/g)].map((m) => new URL(m[1]!, `file:///src/${file}`).pathname.slice(5));
const area = (file: string) => (file.includes('/') ? file.split('/')[0]! : 'main');

const STAGES = ['ingest', 'track', 'infer', 'gpu-post', 'guard', 'egress'];
const MAY_USE: Record<string, string[]> = {
  core: ['core'],
  config: ['core', 'config'],
  rx: ['core', 'rx'],
  ...Object.fromEntries(STAGES.map((s) => [s, ['core', 'rx', s]])),
  evaluate: ['core', 'infer', 'evaluate'],
  pipeline: ['core', 'rx', 'config', ...STAGES, 'pipeline'],
};

describe('structure', () => {
  it('imports one way only', () => {
    for (const file of files) {
      const allowed = MAY_USE[area(file)];
      if (!allowed) continue;
      for (const target of imports(file)) expect(allowed, `${file} imports ${target}`).toContain(area(target));
    }
  });

  it('keeps files short', () => {
    for (const file of files) expect(text(file).split('\n').length, file).toBeLessThanOrEqual(300);
  });

  it('has one file that touches fluent-ffmpeg and its installer', () => {
    expect(files.filter((f) => /from '(fluent-ffmpeg|@ffmpeg-installer)/.test(text(f)))).toEqual(['core/ffmpeg.ts']);
  });
});

describe('egress', () => {
  it('has one maker of SealedFrames', () => {
    expect(files.filter((f) => /takeDoor\(\)/.test(text(f)) && f !== 'core/video-frame.ts')).toEqual([
      'gpu-post/compositor.ts',
    ]);
  });

  it('writes nothing out that is not named here', () => {
    const writes =
      /writeFile|createWriteStream|openSync|appendFile|\.stdin\b|process\.stdout\.write|createSocket|\.sendRtp/;
    const named: Record<string, string> = {
      'egress/file/encoded-file.ts': 'video and pictures, from SealedFrames only',
      'cli/anonymize-pictures.ts': 'pictures to be scored, from SealedFrames only',
      'cli/report.ts': 'the report: numbers and hashes',
      'cli/run-live.ts': 'the report of a live run: numbers only',
      'cli/bench.ts': 'figures',
      'cli/demo.ts': 'file names',
      'cli/doctor.ts': 'versions',
      'ingest/file/still-format.ts': 'opens pictures for reading only',
      'gpu-post/x-display.ts': 'ends the X server of our own by closing its input',
    };
    const found = files.filter(
      (f) =>
        writes.test(text(f)) &&
        !/^(evaluate|server|egress\/(rtsp|webrtc|device|live)|ingest\/(rtsp|webrtc|device|live)|cli\/(serve|evaluate))/.test(
          f,
        ),
    );
    expect(found.sort()).toEqual(Object.keys(named).sort());
  });

  it('has sinks that check what they are given', () => {
    const sinks = files.filter((f) => f.startsWith('egress/') && /implements Sink\b/.test(text(f)));
    expect(sinks.length).toBeGreaterThan(0);
    for (const sink of sinks) expect(text(sink), sink).toMatch(/SealedFrame\.isSealed\(/);
  });

  it('gives raw pixels to no catch block', () => {
    for (const file of files) expect(text(file), file).not.toMatch(/catch[^{]*\{[^}]*\braw\.slot\.memory[^}]*\}/);
  });
});
