import { readdirSync, readFileSync } from 'node:fs';

const PAGE_MB = 4096 / 2 ** 20;

/** What a process and its descendants hold at one moment. All 0 where there is no /proc. */
export interface TreeUse {
  /** Sum of the resident set sizes, MB: pages that processes share count in each. */
  readonly rssMb: number;
  readonly descriptors: number;
  readonly threads: number;
  readonly processes: number;
}

function tryRead(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function entries(path: string): number {
  try {
    return readdirSync(path).length;
  } catch {
    return 0;
  }
}

/** The process and its descendants, by /proc. */
function processTree(root: number): number[] {
  const children = new Map<number, number[]>();
  try {
    for (const entry of readdirSync('/proc').filter((e) => /^\d+$/.test(e))) {
      const stat = tryRead(`/proc/${entry}/stat`);
      const parent = Number(stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
      if (stat) children.set(parent, [...(children.get(parent) ?? []), Number(entry)]);
    }
  } catch {
    return [];
  }
  const walk = (pid: number): number[] => [pid, ...(children.get(pid) ?? []).flatMap(walk)];
  return walk(root);
}

/** Proportional set size of a process and its descendants, MB. Stops each of them for milliseconds. Linux only; 0 elsewhere. */
export function treePssMb(root: number): number {
  return processTree(root)
    .map((pid) => Number(/^Pss:\s+(\d+)/m.exec(tryRead(`/proc/${pid}/smaps_rollup`) ?? '')?.[1] ?? 0) / 1024)
    .reduce((sum, mb) => sum + mb, 0);
}

/** Cheap for those who are looked at, other than `treePssMb`. */
export function treeUse(root: number): TreeUse {
  const pids = processTree(root);
  const sum = (of: (pid: number) => number) => pids.reduce((total, pid) => total + of(pid), 0);
  return {
    rssMb: sum((pid) => Number(tryRead(`/proc/${pid}/statm`)?.split(' ')[1] ?? 0) * PAGE_MB),
    descriptors: sum((pid) => entries(`/proc/${pid}/fd`)),
    threads: sum((pid) => entries(`/proc/${pid}/task`)),
    processes: pids.length,
  };
}
