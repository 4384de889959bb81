import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // GL may be loaded by one thread of a process, and native modules survive no worker thread: a process per file.
    pool: 'forks',
    // The models want the cores for themselves.
    maxWorkers: 2,
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // A wait that ran out on a busy machine (`eventually`, `until`) is tried once more, and the reporter says so; a wrong picture never is.
    retry: { count: 1, condition: /^waited \d+ ms in vain/ },
  },
});
