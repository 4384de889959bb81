import { execFileSync, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { spoiltModels } from './fault-run.ts';
import { hangingAbove } from './hanging-model.ts';
import { FaceSearch, framesOf, personClip } from './people.ts';
import { understudy } from './run-process.ts';
import { temporaryFolder } from './support.ts';
import { UdpReceiver } from './udp-receiver.ts';

const folder = temporaryFolder();
const at = (name: string) => join(folder, name);
const modelsOf = ({ dir, cacheDir }: { dir: string; cacheDir: string }) => [
  ...['--set', `models.dir=${dir}`, '--set', `models.cacheDir=${cacheDir}`],
];

/** The thread then stays in the native call, as nothing can end it but the end of the process. */
describe('a native call that never returns', { timeout: 240_000 }, () => {
  let search: FaceSearch;
  let anna: Float32Array[];

  beforeAll(async () => {
    personClip('anna', at('anna.mkv'), '480x360', 10);
    // Some seconds of white, of which a busy machine takes a picture too, on which the network with the loop hangs. With something dark
    // at its edge: a picture without contrast is shown to the network in other tones.
    const during = "enable='between(t,6,8)'";
    const white = `drawbox=t=fill:color=white:${during},drawbox=w=iw*0.035:t=fill:color=0x202020:${during}`;
    execFileSync('ffmpeg', [
      '-v',
      'error',
      '-y',
      '-stream_loop',
      '19',
      '-i',
      at('anna.mkv'),
      '-c',
      'copy',
      at('long.mkv'),
    ]);
    const flash = ['-stream_loop', '7', '-i', at('anna.mkv'), '-t', '45', '-vf', white];
    execFileSync('ffmpeg', ['-v', 'error', '-y', ...flash, '-c:v', 'libx264', '-preset', 'veryfast', at('flash.mkv')]);
    search = await FaceSearch.create();
    anna = await search.person(at('anna.mkv'));
  });
  const played = async (clip: string, ...args: string[]) => {
    const udp = await UdpReceiver.open();
    const result = await understudy(at(clip), `udp://127.0.0.1:${udp.port}`, ...args).done;
    await udp.close(at('played.ts'));
    const frames = framesOf(at('played.ts'), 1);
    const seen = await search.search(frames, anna);
    expect(seen.matches, `best cosine ${seen.best}`).toBe(0);
    return { ...result, frames, seen };
  };

  it('in the detector: veiled frames meanwhile, then another worker, and the end by SIGKILL', async () => {
    const models = spoiltModels('face-detector', (bytes) => hangingAbove(bytes, 'input', 0.9));
    const report = at('detector.json');
    const { stderr, signal, frames } = await played('flash.mkv', ...modelsOf(models), '--report', report);
    expect(stderr).toContain('the analysis worker died: no answer within 10000 ms; it is being started again');
    const { totals } = JSON.parse(readFileSync(report, 'utf8')) as {
      totals: { frames: number; veiledFrames: number; generated: number };
    };
    // Hung for ten seconds of ten frames each, of which the first two pass in silence.
    expect(totals.veiledFrames).toBeGreaterThan(40);
    expect(totals.generated).toBeGreaterThan(20);
    // Faces are shown again after the gap.
    const after = await search.search(frames.slice(-20), anna);
    expect(after.withFace).toBeGreaterThan(0);
    expect(signal).toBe('SIGKILL');
  });

  it('in the generator, again and again: covered faces, and the end of the process once too many threads are stuck', async () => {
    const models = spoiltModels('generator-128', (bytes) => hangingAbove(bytes, 'mask', -1));
    const report = at('generator.json');
    const { stderr, signal, seen } = await played('long.mkv', ...modelsOf(models), '--report', report);
    expect(stderr.match(/generator worker died: no answer within/g)).toHaveLength(2);
    expect(stderr).toContain('the generator worker hangs and cannot be replaced; the process ends, start it again');
    expect(seen.frames).toBeGreaterThan(50);
    expect(seen.withFace).toBe(0);
    expect(signal).toBe('SIGKILL');
  });

  it('in GL, of which there can be no second thread: veiled frames, then the end of the process', async () => {
    const child = spawn(process.execPath, ['--import', 'tsx', 'test/live/hung-gl.ts', at('anna.mkv')]);
    let [out, err] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      err += text;
    });
    const signal = await new Promise((resolve) => child.once('close', (_, by) => resolve(by)));
    // Its guard's SIGTERM reaches it then.
    process.kill(Number(/^x (\d+)$/m.exec(out)?.[1]), 'SIGCONT');
    const after = out.slice(out.indexOf('stopped')).trim().split('\n').slice(1);
    expect(after.filter((line) => line === 'veiled empty').length).toBeGreaterThan(20);
    // What was drawn before the context was lost may still be on its way.
    expect(after.slice(5).every((line) => line === 'veiled empty')).toBe(true);
    expect(err).toContain('the GL worker hangs and cannot be replaced; the process ends, start it again');
    expect(signal).toBe('SIGKILL');
  });
});
