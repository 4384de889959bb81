/**
 * For options that may be given several times, one value each: an option that takes all words up to the next one would take
 * the names of the files too. @param before the values so far
 */
export function collected(value: string, before: readonly string[] = []): string[] {
  return [...before, value];
}
