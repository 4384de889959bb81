import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { WorkerClient } from '../../src/core/worker-client.ts';
import { WorkerDied, WorkerHung } from '../../src/core/worker-errors.ts';

const entry = new URL('./late-writer', import.meta.url);

class LateWriter {
  readonly memory = new SharedArrayBuffer(4);
  readonly #gate = new SharedArrayBuffer(4);
  readonly client: WorkerClient<unknown, true>;

  constructor(options: { lateMs?: number; timeoutMs?: number } = {}) {
    this.client = new WorkerClient('late', entry, options);
  }

  call(): Promise<unknown> {
    return this.client.call({ gate: this.#gate, memory: this.memory }).catch((error: unknown) => error);
  }

  get written(): boolean {
    return new Uint8Array(this.memory)[0] === 200;
  }

  open(): void {
    Atomics.store(new Int32Array(this.#gate), 0, 1);
    Atomics.notify(new Int32Array(this.#gate), 0);
  }
}

/** Whether the memory was given back while the worker had not written yet. */
async function givenBackEarly(writer: LateWriter, hung: WorkerHung): Promise<boolean> {
  const early = await Promise.race([hung.released.then(() => true), pause(100, false)]);
  writer.open();
  await hung.released;
  expect(writer.written).toBe(true);
  return early;
}

describe('memory lent to a worker that does not answer', () => {
  it('stays lent when the client is closed', async () => {
    const writer = new LateWriter();
    await writer.client.ready;
    const answer = writer.call();
    await writer.client.close();
    const hung = await answer;
    expect(hung).toBeInstanceOf(WorkerHung);
    expect(await givenBackEarly(writer, hung as WorkerHung)).toBe(false);
  });

  it('stays lent when the caller was told before and the client is closed then', async () => {
    const writer = new LateWriter({ lateMs: 50, timeoutMs: 60_000 });
    await writer.client.ready;
    const hung = await writer.call();
    expect(hung).toBeInstanceOf(WorkerHung);
    await writer.client.close();
    expect(await givenBackEarly(writer, hung as WorkerHung)).toBe(false);
  });

  it('stays lent when another worker takes its place', async () => {
    const writer = new LateWriter({ timeoutMs: 3000 });
    await writer.client.ready;
    const hung = await writer.call();
    expect(hung).toBeInstanceOf(WorkerHung);
    expect(await givenBackEarly(writer, hung as WorkerHung)).toBe(false);
    await writer.client.close();
  });
});

describe.skipIf(!existsSync('/proc/self/schedstat'))('a worker on a machine that others keep busy', () => {
  it('is not taken for hung while it waits for a core', async () => {
    const worker = new URL('./hard-worker', import.meta.url);
    const client = new WorkerClient<{ needsMs: number }, true>('hard', worker, { timeoutMs: 3000, givesWay: true });
    await client.ready;
    const others = Array.from({ length: 3 * availableParallelism() }, () =>
      spawn(process.execPath, ['-e', 'for(;;);']),
    );
    try {
      // Until they have started.
      await pause(500);
      const began = performance.now();
      expect(await client.call({ needsMs: 500 })).toBe(true);
      console.log(`answered after ${Math.round(performance.now() - began)} ms, of which it had a core for 500`);
      expect(client.restarts).toBe(0);
    } finally {
      for (const other of others) other.kill('SIGKILL');
      await client.close();
    }
  });

  it('is, when it has the core and does not come back', async () => {
    const worker = new URL('./hard-worker', import.meta.url);
    const client = new WorkerClient<{ needsMs: number }, true>('hard', worker, { timeoutMs: 1500 });
    await client.ready;
    await expect(client.call({ needsMs: 20_000 })).rejects.toBeInstanceOf(WorkerHung);
    expect(client.restarts).toBe(1);
    await client.close();
  });
});

describe('a worker in a process of its own', () => {
  it('answers as a thread does, is started again when it dies, and ends with its client', async () => {
    const worker = new URL('./hard-worker', import.meta.url);
    const client = new WorkerClient<{ needsMs: number }, true>('hard', worker, { ownProcess: true });
    expect(await client.ready).toBe(true);
    expect(await client.call({ needsMs: 1 })).toBe(true);
    const death = await client.call({ needsMs: -1 }).catch((error: unknown) => error);
    expect(death).toBeInstanceOf(WorkerDied);
    expect((death as Error).message).toContain('exit code 7');
    expect(client.restarts).toBe(1);
    await pause(100);
    expect(await client.ready).toBe(true);
    expect(await client.call({ needsMs: 1 })).toBe(true);
    await client.close();
    await expect(client.call({ needsMs: 1 })).rejects.toBeInstanceOf(WorkerDied);
  });
});
