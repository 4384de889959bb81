import { spawn } from 'node:child_process';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Starting a process copies the page tables of this one, 40 to 110 ms at 1 GB in which the whole program stands still, and
 * a picture takes five. With large pages, and one heap for all threads (the only one that gets them), it is half of that.
 * glibc reads both when a process begins: starts this command again with them and ends as it ends. Does nothing where
 * they are not to be had or were set already.
 */
export async function withHugePages(): Promise<void> {
  if (process.platform !== 'linux') return;
  if (process.env.GLIBC_TUNABLES !== undefined) {
    // Killed, the first process can tell the second nothing: its channel closes.
    const alone = () => process.exit(1);
    if (process.connected === false) alone();
    process.once('disconnect', alone);
    process.channel?.unref();
    return;
  }
  const env = { ...process.env, GLIBC_TUNABLES: 'glibc.malloc.hugetlb=1:glibc.malloc.arena_max=1' };
  const args = [...process.execArgv, ...process.argv.slice(1)];
  // Before there is a second process: a signal that comes while it is started would end this one alone. They are heard after it has been.
  const passOn = (signal: NodeJS.Signals) => void child.kill(signal);
  for (const signal of SIGNALS) process.on(signal, passOn);
  const child = spawn(process.execPath, args, { stdio: ['inherit', 'inherit', 'inherit', 'ipc'], env });
  await new Promise<void>((resolve) => {
    // It works without them too.
    child.once('error', () => {
      for (const signal of SIGNALS) process.off(signal, passOn);
      resolve();
    });
    child.once('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 143)));
  });
}
