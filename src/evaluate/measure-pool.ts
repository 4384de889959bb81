import { availableParallelism } from 'node:os';
import { WorkerClient } from '../core/worker-client.ts';
import type { Measurer, RecognizerInfo } from './measurer.ts';
import { SIMILARITIES } from './metrics/reidentification.ts';

type Calls = Pick<Measurer, 'pair' | 'video' | 'embed' | 'embedAt' | 'embedMean' | 'literal'>;

/** A method of `Measurer` and what it is called with. */
export type MeasureCall = {
  [K in keyof Calls]: { readonly call: K; readonly args: Parameters<Calls[K]> };
}[keyof Calls];

export interface MeasureReady {
  readonly recognizers: readonly Pick<RecognizerInfo, 'key' | 'name'>[];
  readonly absent: readonly string[];
  readonly mark: string;
}

type Client = WorkerClient<MeasureCall, unknown, MeasureReady>;

/** Each process holds its own copy of all judges, about 400 MB. */
const MOST = 8;

/** The judges in as many processes as there are cores; further ones start when there is work for them. */
export class MeasurePool implements Measurer {
  readonly recognizers: readonly RecognizerInfo[];
  readonly absent: readonly string[];
  readonly mark: string;
  readonly size: number;
  readonly #clients: Client[];
  readonly #idle: Client[];
  readonly #waiting: ((client: Client) => void)[] = [];

  private constructor(first: Client, { recognizers, absent, mark }: MeasureReady, size: number) {
    this.#clients = [first];
    this.#idle = [first];
    this.size = size;
    this.recognizers = recognizers.map((r) => ({ ...r, similarity: SIMILARITIES[r.key] }));
    this.absent = absent;
    this.mark = mark;
  }

  /** @throws UnderstudyError(model), as a WorkerFailure, when a judge that must be there is not */
  static async start(size = Math.min(MOST, availableParallelism())): Promise<MeasurePool> {
    const first = startWorker();
    try {
      return new MeasurePool(first, await first.ready, size);
    } catch (error) {
      await first.close();
      throw error;
    }
  }

  pair: Measurer['pair'] = (...args) => this.#ask({ call: 'pair', args });
  video: Measurer['video'] = (...args) => this.#ask({ call: 'video', args });
  embed: Measurer['embed'] = (...args) => this.#ask({ call: 'embed', args });
  embedAt: Measurer['embedAt'] = (...args) => this.#ask({ call: 'embedAt', args });
  embedMean: Measurer['embedMean'] = (...args) => this.#ask({ call: 'embedMean', args });
  literal: Measurer['literal'] = (...args) => this.#ask({ call: 'literal', args });

  async close(): Promise<void> {
    await Promise.all(this.#clients.map((c) => c.close()));
  }

  async #ask<T>(request: MeasureCall): Promise<T> {
    const client = await this.#take();
    try {
      await client.ready;
      return (await client.call(request)) as T;
    } finally {
      const next = this.#waiting.shift();
      if (next) next(client);
      else this.#idle.push(client);
    }
  }

  #take(): Promise<Client> {
    let client = this.#idle.pop();
    if (!client && this.#clients.length < this.size) {
      client = startWorker();
      this.#clients.push(client);
    }
    return client ? Promise.resolve(client) : new Promise((resolve) => this.#waiting.push(resolve));
  }
}

function startWorker(): Client {
  return new WorkerClient('judges', new URL('./measure-worker', import.meta.url), { ownProcess: true });
}
