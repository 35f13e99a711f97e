import type { Context, MiddlewareHandler } from 'hono'
import { getCookie } from 'hono/cookie'
import { type Problem, problem } from '../core/shared/problem.ts'
import type { Caller } from '../operations/operation.ts'
import type { AppEnv } from './app-env.ts'
import { ACTOR_HEADER, actorName } from './caller.ts'
import { ownHosts, ownOrigins } from './door.ts'
import type { LoginLimit } from './login-limit.ts'
import { problemResponse } from './problem-response.ts'
import { isSession, sameSecret, sessionCookieName } from './session.ts'

/** The socket: whoever may open the file is trusted; the name is for the journal. */
export const socketGate =
  (owner: string): MiddlewareHandler<AppEnv> =>
  async (c, next) => {
    c.set('caller', { kind: 'person', name: actorName(c.req.header(ACTOR_HEADER), owner), face: 'cli' })
    await next()
  }

/** Every request on TCP: the right `Host` (DNS rebinding), and for changes the right `Origin` (other pages). */
export const hostAndOrigin =
  (port: () => number): MiddlewareHandler<AppEnv> =>
  async (c, next) => {
    const refusal = refuseHost(c, port()) ?? refuseOrigin(c, port())
    if (refusal !== null) return problemResponse(c, refusal)
    await next()
  }

function refuseHost(c: Context<AppEnv>, port: number): Problem | null {
  const host = c.req.header('host') ?? ''
  if (ownHosts(port).includes(host)) return null
  return problem('HOST_NOT_ALLOWED', {
    message: `This server does not answer for the host "${host.slice(0, 100)}".`,
    remedy: `Open http://127.0.0.1:${port}/ instead.`,
  })
}

function refuseOrigin(c: Context<AppEnv>, port: number): Problem | null {
  const origin = c.req.header('origin')
  if (
    origin === undefined
      ? !isForeign(c) && (!isChange(c) || bearerOf(c) !== null)
      : ownOrigins(port).includes(origin)
  )
    return null
  return problem('ORIGIN_NOT_ALLOWED', {
    message:
      origin === undefined
        ? 'The request does not say that it comes from our own page.'
        : `The page ${origin.slice(0, 100)} may not use this API.`,
    remedy: 'Use the page of this server, or send the token as "Authorization: Bearer ...".',
  })
}

const isChange = (c: Context<AppEnv>): boolean => c.req.method !== 'GET' && c.req.method !== 'HEAD'

/**
 * Asked by another page, as browsers tell us: no image tag elsewhere may hold an event stream open or use up the
 * attempts to log in. Links to the page and to the login are fine.
 */
function isForeign(c: Context<AppEnv>): boolean {
  const site = c.req.header('sec-fetch-site') ?? 'none'
  if (site === 'none' || site === 'same-origin') return false
  return (
    c.req.path.startsWith('/api/') ||
    c.req.path.startsWith('/metrics') ||
    (c.req.path === '/login' && c.req.header('sec-fetch-mode') !== 'navigate')
  )
}

type TcpGate = { token: string; port(): number; now(): number; limit: LoginLimit; owner: string }

/** The API on TCP: a token or the page's cookie. */
export const tcpGate =
  (gate: TcpGate): MiddlewareHandler<AppEnv> =>
  async (c, next) => {
    const bearer = bearerOf(c)
    const refusal = bearer === null ? refuseSession(c, gate) : refuseToken(bearer, gate)
    if (refusal !== null) return refuse(c, refusal, gate.limit)
    const caller: Caller = { kind: 'person', name: gate.owner, face: bearer === null ? 'page' : 'api' }
    c.set('caller', caller)
    await next()
  }

/** One door on TCP: whoever may use the API, and programs with a token that opens nothing else. */
export const sideGate = (gate: TcpGate, sideToken: string | null): MiddlewareHandler<AppEnv> => {
  const guarded = tcpGate(gate)
  return async (c, next) => {
    const bearer = bearerOf(c)
    const isItsOwn =
      bearer !== null &&
      sideToken !== null &&
      gate.limit.blockedForMs() === 0 &&
      sameSecret(bearer, sideToken)
    return isItsOwn ? next() : guarded(c, next)
  }
}

function refuse(c: Context<AppEnv>, refusal: Problem, limit: LoginLimit): Response {
  if (refusal.code === 'LOGIN_RATE_LIMITED')
    c.header('retry-after', String(Math.ceil(limit.blockedForMs() / 1000)))
  else c.header('www-authenticate', 'Bearer realm="sluice"')
  return problemResponse(c, refusal)
}

function refuseSession(c: Context<AppEnv>, { token, port, now }: TcpGate): Problem | null {
  const value = getCookie(c, sessionCookieName(port()))
  if (isSession(value, token, port(), now())) return null
  return problem('LOGIN_REQUIRED', {
    message: 'This needs a login.',
    remedy:
      'Sign in on the page with the token from the file "token" in the .sluice folder, or send it as "Authorization: Bearer ...".',
  })
}

/** `null` when the token is right; a wrong one counts towards the limit. */
export function refuseToken(
  given: string,
  { token, limit }: Pick<TcpGate, 'token' | 'limit'>,
): Problem | null {
  const blockedForMs = limit.blockedForMs()
  if (blockedForMs > 0)
    return problem('LOGIN_RATE_LIMITED', {
      message: 'Too many wrong tokens in the last minute.',
      remedy: `Try again in ${Math.ceil(blockedForMs / 1000)} seconds.`,
      retryable: true,
    })
  if (sameSecret(given, token)) return null
  limit.recordFailure()
  return problem('LOGIN_FAILED', {
    message: 'The token is wrong.',
    remedy:
      'Copy the token from the file "token" in the .sluice folder. It is a new one after the file was made anew.',
  })
}

const bearerOf = (c: Context<AppEnv>): string | null =>
  /^Bearer +(\S+)$/i.exec(c.req.header('authorization') ?? '')?.[1] ?? null
