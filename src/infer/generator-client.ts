import { WorkerClient, type WorkerClientOptions } from '../core/worker-client.ts';
import { WorkerFailure } from '../core/worker-errors.ts';
import { Batcher } from './batcher.ts';
import type { GeneratorOutcome } from './generator.ts';
import type { GeneratorReady, GeneratorReply, GeneratorRequest, GeneratorWorkerData } from './generator-messages.ts';

export interface GeneratorClientOptions extends GeneratorWorkerData {
  readonly maxBatchSize: number;
  readonly maxQueueDelayMs: number;
  readonly patience: Pick<WorkerClientOptions, 'lateMs' | 'timeoutMs' | 'impatient' | 'onHopeless'>;
  readonly givesWay?: boolean;
  readonly onWarning: (sentence: string) => void;
}

/** Main-thread side of the generator: batches faces of all streams for one worker. */
export class GeneratorClient {
  readonly #worker: WorkerClient<GeneratorRequest[], GeneratorReply, GeneratorReady>;
  readonly #batcher: Batcher<GeneratorRequest, GeneratorOutcome>;
  #info: GeneratorReady | undefined;
  /** Told the number of faces of each run. */
  onBatch: ((faces: number) => void) | undefined;

  private constructor(options: GeneratorClientOptions) {
    const { maxBatchSize, maxQueueDelayMs, patience, givesWay = false, onWarning, ...data } = options;
    this.#worker = new WorkerClient('generator', new URL('./generator-worker', import.meta.url), {
      data,
      ...patience,
      givesWay,
      onDeath: (error) => onWarning(`${error.message}; it is being started again`),
    });
    const run = (items: GeneratorRequest[]) => {
      this.onBatch?.(items.length);
      return this.#draw(items);
    };
    this.#batcher = new Batcher({ maxBatchSize, maxQueueDelayMs, run });
    this.#worker.ready.then(
      (ready) => {
        this.#info = ready;
        for (const sentence of ready.warnings) onWarning(sentence);
      },
      () => {},
    );
  }

  static start(options: GeneratorClientOptions): GeneratorClient {
    return new GeneratorClient(options);
  }

  get ready(): Promise<GeneratorReady> {
    return this.#worker.ready;
  }

  /** What the first start told: also while the worker is started again. Undefined before. */
  get info(): GeneratorReady | undefined {
    return this.#info;
  }

  get alive(): boolean {
    return this.#worker.alive;
  }

  /** See `WorkerClient.inVain`. */
  get inVain(): number {
    return this.#worker.inVain;
  }

  /**
   * Fills the slot. Rejects with WorkerDied when the worker is down, with WorkerHung while it may still fill the slot.
   * @param alone after a death: should it be this face that ends the worker, it takes no others along a second time
   */
  generate(item: GeneratorRequest, alone = false): Promise<GeneratorOutcome> {
    return this.#batcher.submit(item, alone);
  }

  /** One face that cannot be drawn, or a batch that there is no memory for, costs only the faces that fail by themselves. */
  async #draw(items: GeneratorRequest[]): Promise<GeneratorOutcome[]> {
    try {
      return await this.#worker.call(items);
    } catch (error) {
      if (!(error instanceof WorkerFailure) || items.length === 1) throw error;
    }
    const outcomes: GeneratorOutcome[] = [];
    for (const item of items) {
      try {
        outcomes.push(...(await this.#worker.call([item])));
      } catch (error) {
        if (!(error instanceof WorkerFailure)) throw error;
        outcomes.push('rejected');
      }
    }
    return outcomes;
  }

  async close(): Promise<void> {
    this.#batcher.close();
    await this.#worker.close();
  }
}
