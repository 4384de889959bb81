import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { createSecureContext } from 'node:tls';
import { getRequestListener } from '@hono/node-server';
import type { Hono } from 'hono';
import { ExitCode, UnderstudyError } from '../core/errors.ts';

export interface ListenOptions {
  readonly host: string;
  readonly port: number;
  readonly tls?: Tls;
}

/** Certificate chain and private key, PEM. */
export interface Tls {
  readonly cert: Buffer;
  readonly key: Buffer;
}

export interface Listening {
  readonly port: number;
  close(): Promise<void>;
}

/** @throws UnderstudyError(usage) for a port in use or an address that is not ours */
export async function listen(app: Hono, options: ListenOptions): Promise<Listening> {
  const handler = getRequestListener(app.fetch);
  const server: Server = options.tls ? createSecureServer(options.tls, handler) : createServer(handler);
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
  if (error.code === 'ENOTFOUND' || error.code === 'EAI_AGAIN')
    return new UnderstudyError(ExitCode.usage, `the host ${host} to listen on cannot be found`, 'use 0.0.0.0');
  return error;
}

/** @throws UnderstudyError(usage) for files that cannot be read, are of another kind or do not belong together */
export function readTls(certPath: string, keyPath: string): Tls {
  const cert = readPem(certPath);
  const key = readPem(keyPath);
  refuse({ cert }, `${certPath} is no certificate`);
  refuse({ key }, `${keyPath} is no private key, or has a passphrase`);
  refuse({ cert, key }, `the private key ${keyPath} does not belong to the certificate ${certPath}`);
  return { cert, key };
}

const TLS_REMEDY = 'check --tls-cert and --tls-key: PEM files, the key without passphrase';

function refuse(tls: Partial<Tls>, otherwise: string): void {
  try {
    createSecureContext(tls);
  } catch (cause) {
    throw new UnderstudyError(ExitCode.usage, otherwise, TLS_REMEDY, { cause });
  }
}

function readPem(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new UnderstudyError(ExitCode.usage, `${path} cannot be read`, TLS_REMEDY, { cause });
  }
}
