import { createHash, timingSafeEqual } from 'node:crypto';
import { type Context, Hono } from 'hono';
import type { IceServer } from '../core/webrtc/peer.ts';
import { addCandidates, isOfOffer, readFragment } from '../core/webrtc/trickle.ts';
import type { LiveStream } from './live-stream.ts';
import { HttpProblem } from './problem.ts';
import type { Session, SessionKind } from './session.ts';

export interface StreamAccess {
  /** Bearer tokens; undefined lets everybody in. */
  readonly publishToken?: string | undefined;
  readonly viewToken?: string | undefined;
}

export interface Endpoint {
  readonly stream: LiveStream;
  readonly access: StreamAccess;
}

const MAX_BODY = 256 * 1024;
const RESTART_REMEDY = 'start a new session';
const EXPOSED = 'Location, ETag, Link, Accept-Post, Accept-Patch';

/** WHIP (RFC 9725) and WHEP under `/{stream}/whip` and `/{stream}/whep`, MediaMTX's addresses. */
export function whipWhepRoutes(
  find: (name: string) => Endpoint | undefined,
  iceServers: readonly IceServer[],
  onError: (error: Error, context: Context) => Response,
): Hono {
  const app = new Hono();
  app.onError((error, context) => onError(error, cors(context)));

  const links = (context: Context) => {
    for (const { urls, username, credential } of iceServers) {
      const secret =
        username && credential
          ? `; username="${username}"; credential="${credential}"; credential-type="password"`
          : '';
      context.header('Link', `<${urls}>; rel="ice-server"${secret}`, { append: true });
    }
  };

  const endpoint = (context: Context): Endpoint & { kind: SessionKind } => {
    const name = context.req.param('stream') ?? '';
    const kind = context.req.param('kind') as SessionKind;
    const found = find(name);
    if (!found) throw new HttpProblem(404, `there is no stream ${name}`, 'name one of the configured streams');
    authorize(context, kind === 'whip' ? found.access.publishToken : found.access.viewToken);
    return { ...found, kind };
  };

  const mayEnter = (context: Context): boolean => {
    try {
      endpoint(context);
      return true;
    } catch {
      return false;
    }
  };

  const session = (context: Context): Session => {
    const { stream, kind } = endpoint(context);
    const found = stream.sessions.get(context.req.param('id') ?? '');
    if (!found || found.kind !== kind) throw new HttpProblem(404, 'this session has ended', 'start a new one');
    return found;
  };

  app.options('/:stream/:kind{wh[ie]p}/:id?', (context) => {
    cors(context);
    // A browser's preflight carries no token and needs none; the passwords of TURN are for those who may come in.
    if (mayEnter(context)) links(context);
    context.header('Accept-Post', 'application/sdp');
    context.header('Accept-Patch', 'application/trickle-ice-sdpfrag');
    return context.body(null, 204);
  });

  app.post('/:stream/:kind{wh[ie]p}', async (context) => {
    const { stream, kind } = endpoint(cors(context));
    const offer = await readBody(context, 'application/sdp');
    const made = kind === 'whip' ? await stream.publish(offer) : await stream.view(offer);
    links(context);
    context.header('Location', `/${stream.name}/${kind}/${made.session.id}`);
    context.header('ETag', made.session.etag);
    context.header('Accept-Patch', 'application/trickle-ice-sdpfrag');
    return context.body(made.answer, 201, { 'Content-Type': 'application/sdp' });
  });

  app.patch('/:stream/:kind{wh[ie]p}/:id', async (context) => {
    const found = session(cors(context));
    const match = context.req.header('If-Match');
    if (match && match !== '*' && match !== found.etag) {
      throw new HttpProblem(412, 'the ETag is of another ICE session', RESTART_REMEDY);
    }
    const fragment = readFragment(await readBody(context, 'application/trickle-ice-sdpfrag'));
    // RFC 9725, section 4.3.3: `*` is how a restart is asked for. MediaMTX's page sends it with candidates of the session that it has, too.
    if (!isOfOffer(found.peer, fragment) || (match === '*' && fragment.ufrags.length === 0)) {
      throw new HttpProblem(422, 'this would restart ICE, which is not supported', RESTART_REMEDY);
    }
    await addCandidates(found.peer, fragment).catch(() => {
      throw new HttpProblem(400, 'the candidates cannot be read', 'send a trickle-ice-sdpfrag of RFC 8840');
    });
    return context.body(null, 204);
  });

  app.delete('/:stream/:kind{wh[ie]p}/:id', async (context) => {
    await session(cors(context)).close('the peer has left');
    return context.body(null, 200);
  });

  // RFC 9725, sections 4.1 and 4.2: kept free for later versions.
  app.all('/:stream/:kind{wh[ie]p}', (context) => refuseMethod(context, 'OPTIONS, POST'));
  app.all('/:stream/:kind{wh[ie]p}/:id', (context) => refuseMethod(context, 'OPTIONS, PATCH, DELETE'));

  return app;
}

function refuseMethod(context: Context, allowed: string): never {
  context.header('Allow', allowed);
  throw new HttpProblem(405, `${context.req.method} is not a method of this address`, `use ${allowed}`);
}

function cors(context: Context): Context {
  context.header('Access-Control-Allow-Origin', '*');
  context.header('Access-Control-Allow-Methods', 'OPTIONS, POST, PATCH, DELETE');
  context.header('Access-Control-Allow-Headers', 'Authorization, Content-Type, If-Match');
  context.header('Access-Control-Expose-Headers', EXPOSED);
  return context;
}

function authorize(context: Context, token: string | undefined): void {
  if (token === undefined) return;
  const given = /^Bearer (.+)$/.exec(context.req.header('Authorization') ?? '')?.[1] ?? '';
  const digest = (text: string) => createHash('sha256').update(text).digest();
  // Compared by hash, so that the time it takes tells nothing of the token.
  if (!timingSafeEqual(digest(given), digest(token))) {
    throw new HttpProblem(
      401,
      'the bearer token is missing or wrong',
      'send Authorization: Bearer and the stream’s token',
    );
  }
}

async function readBody(context: Context, type: string): Promise<string> {
  const given = (context.req.header('Content-Type') ?? '').split(';')[0]!.trim();
  if (given !== type) throw new HttpProblem(415, `the body is not ${type}`, `send it with Content-Type: ${type}`);
  const reader = context.req.raw.body?.getReader();
  const next = () =>
    reader?.read().catch(() => {
      throw new HttpProblem(400, 'the body ended early', 'send all of it');
    });
  const decoder = new TextDecoder();
  let text = '';
  let size = 0;
  // Piece by piece: who does not say how long it is could send for ever.
  for (let part = await next(); part && !part.done; part = await next()) {
    size += part.value.length;
    // The rest is left where it is: to cancel it would end the connection before the answer.
    if (size > MAX_BODY) throw new HttpProblem(400, 'the body is too long', 'send one SDP');
    text += decoder.decode(part.value, { stream: true });
  }
  return text + decoder.decode();
}
