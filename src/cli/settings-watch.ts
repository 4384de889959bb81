import { statSync, unwatchFile, watchFile } from 'node:fs';

const LOOK_MS = 1000;

/** What a stream is protected by, or made of. */
interface Guarded {
  readonly publishToken?: string | undefined;
  readonly viewToken?: string | undefined;
  readonly source?: string | undefined;
}
type Streams = Readonly<Record<string, Guarded>>;
const GUARDS = ['publishToken', 'viewToken', 'source'] as const;

/**
 * What new settings would open or take away, in words. The first half of a settings file is valid YAML too: it has streams
 * without the tokens that follow, or none at all, so that nobody has asked for such a change unless he says so by SIGHUP.
 */
export function opened(before: Streams, after: Streams): string | undefined {
  const kept = Object.keys(before).filter((name) => name in after);
  if (kept.length === 0 && Object.keys(before).length > 0) return 'no stream of before would be left';
  for (const name of kept) {
    for (const guard of GUARDS) {
      const [old, now] = [before[name]![guard], after[name]![guard]];
      if (old && !now) return `the stream ${name} would lose its ${guard}`;
      if (old && now && old !== now && old.startsWith(now))
        return `the ${guard} of the stream ${name} would be cut short`;
    }
  }
  return undefined;
}

/**
 * Calls back when the file has changed and then stood still for a second. Polled: what replaces it, an editor or a mounted
 * volume, is another file to those who watch it by its number.
 * @returns ends the watch
 */
export function watchSettled(file: string, onChange: () => void): () => void {
  let timer: NodeJS.Timeout | undefined;
  watchFile(file, { interval: LOOK_MS }, (now) => {
    clearTimeout(timer);
    if (now.size === 0) return;
    timer = setTimeout(() => {
      const then = statSync(file, { throwIfNoEntry: false });
      if (then?.mtimeMs === now.mtimeMs && then.size === now.size) onChange();
    }, LOOK_MS);
  });
  return () => {
    clearTimeout(timer);
    unwatchFile(file);
  };
}
