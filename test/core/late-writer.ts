import { serveWorker } from '../../src/core/serve-worker.ts';

/** Stays in one call until the gate opens, and only then writes into what it was given: a native call that hangs. */
serveWorker<{ gate: SharedArrayBuffer; memory: SharedArrayBuffer }, true, true>(async () => ({
  ready: true,
  handle({ gate, memory }) {
    Atomics.wait(new Int32Array(gate), 0, 0);
    new Uint8Array(memory).fill(200);
    return true;
  },
}));
