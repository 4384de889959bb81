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
      /writeFile|createWriteStream|openSync|appendFile|\.stdin\b|process\.stdout\.write|\.stdio\[|createSocket|\.sendRtp/;
    // Whoever hands pixels on takes SealedFrames and says so; the others write no pixels of a stream.
    const pixels = ['egress/file/encoded-file.ts', 'egress/live/live-sink.ts', 'egress/webrtc/coded-encoder.ts'];
    const named: Record<string, string> = {
      'egress/webrtc/viewer.ts': 'packets that coded-encoder made',
      'core/audio/transcode.ts': 'coded sound into a process that makes other sound of it',
      'ingest/live/live-audio.ts': 'reads the sound that a decoder writes',
      'evaluate/record-store.ts': 'measurements',
      'evaluate/y4m.ts': 'ends the input of a decoder',
      'cli/evaluate.ts': 'scores, and the report that is asked for, which shows originals and says so',
      'cli/variant-outputs.ts': 'settings',
      'cli/work-state.ts': 'key and numbers of streams',
      'cli/anonymize-set.ts': 'how long a face takes',
      'cli/report.ts': 'the report: numbers and hashes',
      'cli/run-live.ts': 'the report: numbers and hashes',
      'cli/folder-journal.ts': 'names, sizes and times of what a folder run has done',
      'cli/foreign-model.ts': 'a manifest and model files',
      'cli/bench.ts': 'figures',
      'cli/bench-live.ts': 'figures',
      'cli/bench-memory.ts': 'figures',
      'cli/demo.ts': 'file names',
      'cli/doctor.ts': 'versions',
      'ingest/file/still-format.ts': 'opens pictures for reading only',
      'ingest/webrtc/coded-decoder.ts': 'coded pictures into a decoder',
      'gpu-post/x-display.ts': 'ends the X server of our own by closing its input',
    };
    const found = files.filter((f) => writes.test(text(f)));
    expect(found.sort()).toEqual([...pixels, ...Object.keys(named)].sort());
    for (const file of pixels) expect(text(file), file).toMatch(/SealedFrame/);
  });

  it('lets a decoder write nothing but sound beside the pictures that it gives to the pipeline', () => {
    // The evaluator compares two pictures of files, and gives neither to the pipeline.
    const further = files.filter((f) => /'pipe:[3-9]'/.test(text(f)) && f !== 'evaluate/y4m.ts');
    expect(further).toEqual(['ingest/live/decoder-arguments.ts']);
    const output = /const AUDIO_OUTPUT = \[(.*?)\n\];/s.exec(text(further[0]!))![1]!;
    expect(output.match(/'-map'/g)).toHaveLength(1);
    expect(output).toContain("'-map', '0:a:0', '-c:a', 'copy'");
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
