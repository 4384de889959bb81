import { catchError, EMPTY, type OperatorFunction } from 'rxjs';

/** Turns a failure into an ordinary end after the last value, and hands the error aside. */
export function endOnError<T>(onError: (error: unknown) => void): OperatorFunction<T, T> {
  return catchError((error: unknown) => {
    onError(error);
    return EMPTY;
  });
}
