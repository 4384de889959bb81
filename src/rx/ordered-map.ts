import { Observable, type OperatorFunction } from 'rxjs';

export interface OrderedMapOptions<T, R> {
  /** How many projections may run at once. 1 keeps a stage strictly serial. */
  readonly concurrency: number;
  readonly project: (value: T, index: number) => Promise<R>;
  /** Called with each input not yet projected and each result not emitted when the stream is torn down. */
  readonly discardInput?: (value: T) => void;
  readonly discardResult?: (result: R) => void;
}

/**
 * Projects values concurrently and emits the results in input order. `mergeMap` emits in order of completion and
 * `concatMap` never overlaps; a video stage needs both order and overlap. The waiting line is as long as the source lets
 * it be: put a pool or a `keepLatest` before it.
 */
export function orderedMap<T, R>(options: OrderedMapOptions<T, R>): OperatorFunction<T, R> {
  return (source) =>
    new Observable<R>((subscriber) => {
      const waiting: { value: T; index: number }[] = [];
      const done = new Map<number, R>();
      let running = 0;
      let nextIndex = 0;
      let nextOut = 0;
      let sourceDone = false;
      let sourceError: { error: unknown } | undefined;
      let torn = false;

      const drain = () => {
        while (done.has(nextOut) && !torn) {
          const result = done.get(nextOut) as R;
          done.delete(nextOut++);
          subscriber.next(result);
        }
        if (sourceDone && nextOut === nextIndex && !torn) {
          // An input's own error comes after everything before it: what was good is not lost.
          if (sourceError) subscriber.error(sourceError.error);
          else subscriber.complete();
        }
      };
      const start = (value: T, index: number) => {
        running++;
        options.project(value, index).then(
          (result) => {
            running--;
            if (torn) return options.discardResult?.(result);
            done.set(index, result);
            const next = waiting.shift();
            if (next) start(next.value, next.index);
            drain();
          },
          (error) => {
            running--;
            if (!torn) subscriber.error(error);
          },
        );
      };
      const subscription = source.subscribe({
        next: (value) => {
          const index = nextIndex++;
          if (running < options.concurrency) start(value, index);
          else waiting.push({ value, index });
        },
        error: (error) => {
          sourceDone = true;
          sourceError = { error };
          drain();
        },
        complete: () => {
          sourceDone = true;
          drain();
        },
      });
      return () => {
        torn = true;
        subscription.unsubscribe();
        for (const { value } of waiting) options.discardInput?.(value);
        for (const result of done.values()) options.discardResult?.(result);
        waiting.length = 0;
        done.clear();
      };
    });
}
