import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { getRequestListener } from '@hono/node-server';
import type { Hono } from 'hono';
import { ExitCode, UnderstudyError } from '../core/errors.ts';

export interface ListenOptions {
  readonly host: string;
  readonly port: number;
  readonly tls?: { readonly cert: string; readonly key: string };
}

export interface Listening {
  readonly port: number;
  close(): Promise<void>;
}

/** @throws UnderstudyError(usage) for a port in use or a certificate that cannot be read */
export async function listen(app: Hono, options: ListenOptions): Promise<Listening> {
  const handler = getRequestListener(app.fetch);
  const server: Server = options.tls
    ? createSecureServer({ cert: readPem(options.tls.cert), key: readPem(options.tls.key) }, handler)
    : createServer(handler);
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(explain(error, options)));
    server.listen(options.port, options.host, () => resolve());
  });
  const address = server.address();
  return {
    port: typeof address === 'object' && address ? address.port : options.port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function explain(error: NodeJS.ErrnoException, { host, port }: ListenOptions): Error {
  if (error.code === 'EADDRINUSE')
    return new UnderstudyError(
      ExitCode.usage,
      `port ${port} is in use`,
      'stop the other program or choose another port',
    );
  if (error.code === 'EACCES')
    return new UnderstudyError(ExitCode.usage, `port ${port} may not be opened`, 'choose one above 1023');
  if (error.code === 'EADDRNOTAVAIL')
    return new UnderstudyError(ExitCode.usage, `${host} is not an address of this machine`, 'use 0.0.0.0');
  return error;
}

function readPem(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch {
    throw new UnderstudyError(ExitCode.usage, `${path} cannot be read`, 'check --tls-cert and --tls-key');
  }
}
