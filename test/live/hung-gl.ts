/**
 * A program of its own, for it ends itself: a stream through the engine whose X server is stopped while GL makes a new context.
 * Usage: hung-gl.ts CLIP; writes the X server's process id, then a line per frame that left: its kind and whether the picture is empty.
 */
import { openPacedFileSource } from '../../src/ingest/live/paced-file-source.ts';
import { childrenWith, EngineUnderTest, startRun } from './fault-run.ts';
import { isVeiled } from './people.ts';

delete process.env.DISPLAY;
const under = await EngineUnderTest.start({}, (sentence) => process.stderr.write(`${sentence}\n`));
const { sink } = startRun(under.engine, await openPacedFileSource(process.argv[2]!, { loop: true }));
const DRAWN_FIRST = 10;
// The server is the child of the shell that guards it.
const [guard] = childrenWith('Xvfb');
const [xServer] = childrenWith('Xvfb', guard);
process.stdout.write(`x ${xServer}\n`);
let [drawn, stopped] = [0, false];
setInterval(() => {
  for (const frame of sink.take()) {
    if (frame.kind === 'composed') drawn++;
    process.stdout.write(`${frame.kind} ${isVeiled(frame) ? 'empty' : 'picture'}\n`);
  }
  if (stopped || drawn < DRAWN_FIRST) return;
  stopped = true;
  process.stdout.write('stopped\n');
  process.kill(xServer!, 'SIGSTOP');
  under.workers.at(-1)!.postMessage({ id: 1e9, body: { kind: 'drop-context' } });
}, 100);
