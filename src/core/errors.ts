/** Documented process exit codes (README, "Exit codes"). */
export const ExitCode = {
  ok: 0,
  internal: 1,
  usage: 2,
  noFace: 3,
  input: 4,
  output: 5,
  model: 6,
  graphics: 7,
  tool: 8,
  interrupted: 130,
} as const;
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

/**
 * An error a person can act on: one sentence that names the thing and what is wrong with it, and the remedy.
 * Everything the command line prints on failure is one of these; any other error is a bug and exits with 1.
 */
export class UnderstudyError extends Error {
  readonly exitCode: ExitCode;
  readonly remedy: string;
  constructor(exitCode: ExitCode, message: string, remedy: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'UnderstudyError';
    this.exitCode = exitCode;
    this.remedy = remedy;
  }
}
