import { Observable, type OperatorFunction } from 'rxjs';

/**
 * Like `exhaustMap`, but keeps the newest waiting value instead of the oldest and tells of each one dropped: the right
 * overload policy for a live picture. At most one projection runs and at most one value waits, so latency cannot grow.
 */
export function keepLatest<T, R>(
  project: (value: T) => Promise<R>,
  onDrop: (value: T) => void,
): OperatorFunction<T, R> {
  return (source) =>
    new Observable<R>((subscriber) => {
      let waiting: { value: T } | undefined;
      let busy = false;
      let done = false;
      const start = (value: T) => {
        busy = true;
        project(value).then(
          (result) => {
            busy = false;
            subscriber.next(result);
            const next = waiting;
            waiting = undefined;
            if (next) start(next.value);
            else if (done) subscriber.complete();
          },
          (error) => subscriber.error(error),
        );
      };
      const subscription = source.subscribe({
        next: (value) => {
          if (!busy) return start(value);
          if (waiting) onDrop(waiting.value);
          waiting = { value };
        },
        error: (error) => subscriber.error(error),
        complete: () => {
          done = true;
          if (!busy) subscriber.complete();
        },
      });
      return () => {
        subscription.unsubscribe();
        if (waiting) onDrop(waiting.value);
        waiting = undefined;
      };
    });
}
