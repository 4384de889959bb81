import type { FrameSlot } from './video-frame.ts';

/**
 * A fixed number of equal slots of shared memory. `acquire` waits when all are in use, which is the pipeline's
 * backpressure: nothing is allocated per frame and memory stays flat however long the recording is.
 */
export class FramePool {
  readonly byteLength: number;
  readonly capacity: number;
  readonly #free: number[] = [];
  readonly #memory: SharedArrayBuffer[] = [];
  readonly #waiting: ((slot: FrameSlot) => void)[] = [];

  constructor(byteLength: number, capacity: number) {
    this.byteLength = byteLength;
    this.capacity = capacity;
    for (let i = 0; i < capacity; i++) {
      this.#memory.push(new SharedArrayBuffer(byteLength));
      this.#free.push(capacity - 1 - i);
    }
  }

  get inUse(): number {
    return this.capacity - this.#free.length;
  }

  tryAcquire(): FrameSlot | undefined {
    const index = this.#free.pop();
    return index === undefined ? undefined : this.#slot(index);
  }

  acquire(): Promise<FrameSlot> {
    const slot = this.tryAcquire();
    if (slot) return Promise.resolve(slot);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #slot(index: number): FrameSlot {
    let held = true;
    return {
      index,
      memory: this.#memory[index]!,
      release: () => {
        if (!held) return;
        held = false;
        const next = this.#waiting.shift();
        if (next) next(this.#slot(index));
        else this.#free.push(index);
      },
    };
  }
}
