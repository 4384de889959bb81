import type { Context } from 'hono';
import { ExitCode, UnderstudyError } from '../core/errors.ts';

/** A refusal that an HTTP client can act on (RFC 9457). */
export class HttpProblem extends Error {
  readonly status: number;
  readonly remedy: string;
  constructor(status: number, message: string, remedy: string) {
    super(message);
    this.name = 'HttpProblem';
    this.status = status;
    this.remedy = remedy;
  }
}

/** What this machine lacks, and no other request would change. */
const LACKING = new Set<ExitCode>([ExitCode.model, ExitCode.graphics, ExitCode.tool]);

const TITLES: Record<number, string> = {
  400: 'Bad request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not found',
  405: 'Method not allowed',
  409: 'Conflict',
  412: 'Precondition failed',
  415: 'Unsupported media type',
  422: 'Unprocessable content',
  500: 'Internal error',
  503: 'Unavailable',
};

/** Any error as application/problem+json. What is not meant for users says nothing about itself. */
export function problemResponse(context: Context, error: unknown): Response {
  const known =
    error instanceof HttpProblem
      ? error
      : error instanceof UnderstudyError
        ? new HttpProblem(LACKING.has(error.exitCode) ? 503 : 400, error.message, error.remedy)
        : new HttpProblem(500, 'a fault of the server', 'see its log');
  const body = {
    type: 'about:blank',
    title: TITLES[known.status] ?? 'Error',
    status: known.status,
    detail: `${known.message}; ${known.remedy}`,
  };
  if (known.status === 401) context.header('WWW-Authenticate', 'Bearer');
  return context.body(JSON.stringify(body), known.status as 400, { 'Content-Type': 'application/problem+json' });
}
