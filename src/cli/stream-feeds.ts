import type { StreamSettings } from '../config/live-schema.ts';
import { UnderstudyError } from '../core/errors.ts';
import { withoutCredentials } from '../core/stream-address.ts';
import { type LiveAddressOptions, openLiveSource } from '../pipeline/live-addresses.ts';
import type { LiveServer } from '../server/server.ts';

/** A configured source that cannot be opened is tried again after this long. */
const REOPEN_MS = 5000;

interface Feed {
  readonly address: string;
  readonly stop: AbortController;
  readonly done: Promise<void>;
}

/** Keeps each stream that the settings give a source fed from it, for as long as the settings say so. */
export class StreamFeeds {
  readonly #server: LiveServer;
  readonly #options: LiveAddressOptions;
  readonly #feeds = new Map<string, Feed>();

  constructor(server: LiveServer, options: LiveAddressOptions) {
    this.#server = server;
    this.#options = options;
  }

  /** Starts, ends and exchanges feeds so that they are those of the settings. */
  follow(streams: Readonly<Record<string, StreamSettings>>): void {
    for (const [name, feed] of this.#feeds) {
      if (streams[name]?.source === feed.address) continue;
      feed.stop.abort();
      this.#feeds.delete(name);
    }
    for (const [name, { source }] of Object.entries(streams)) {
      if (!source || this.#feeds.has(name)) continue;
      const stop = new AbortController();
      this.#feeds.set(name, { address: source, stop, done: this.#feed(name, source, stop.signal) });
    }
  }

  async close(): Promise<void> {
    const feeds = [...this.#feeds.values()];
    for (const feed of feeds) feed.stop.abort();
    await Promise.all(feeds.map((feed) => feed.done));
  }

  async #feed(name: string, address: string, stop: AbortSignal): Promise<void> {
    const { onWarning } = this.#options;
    while (!stop.aborted) {
      try {
        const source = await openLiveSource(address, { ...this.#options, loop: true });
        const onStop = () => void source.close();
        stop.addEventListener('abort', onStop, { once: true });
        const stream = this.#server.streams.get(name);
        if (stop.aborted || !stream) await source.close();
        else await stream.feed(source);
        stop.removeEventListener('abort', onStop);
      } catch (error) {
        const detail = error instanceof UnderstudyError ? `${error.message}; ${error.remedy}` : 'failed';
        onWarning(`stream ${name}, ${withoutCredentials(address)}: ${detail}`);
      }
      if (!stop.aborted) await pause(REOPEN_MS, stop);
    }
  }
}

/** Resolves early when stopped. */
function pause(ms: number, stop: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      stop.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    stop.addEventListener('abort', done, { once: true });
  });
}
