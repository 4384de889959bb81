import { cpus, totalmem } from 'node:os';

/** What figures of speed have to be read with. */
export const machineName = (): string =>
  `${cpus().length} × ${cpus()[0]?.model.trim() ?? 'unknown'}, ${Math.round(totalmem() / 2 ** 30)} GB`;
