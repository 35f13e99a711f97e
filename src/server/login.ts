import type { Context, Hono } from 'hono'
import { setCookie } from 'hono/cookie'
import * as z from 'zod'
import { problem } from '../core/shared/problem.ts'
import type { AppEnv } from './app-env.ts'
import { refuseToken } from './gate.ts'
import type { LoginLimit } from './login-limit.ts'
import { problemResponse } from './problem-response.ts'
import { readJson } from './read-json.ts'
import { SESSION_MS, sealSession, sessionCookieName } from './session.ts'

type Login = { token: string; port(): number; now(): number; limit: LoginLimit }

const LoginInput = z.strictObject({ token: z.string().min(1).max(1000) })

/**
 * `GET /login?token=...` is the address printed in the terminal: it trades the token for a cookie and redirects,
 * so that the token stays in no address bar. `POST /login` is the form of the page.
 */
export function addLogin(app: Hono<AppEnv>, login: Login): void {
  app.get('/login', (c) => {
    const given = c.req.query('token')
    if (given === undefined) return c.redirect('/', 303)
    const refusal = refuseToken(given, login)
    if (refusal !== null)
      return c.text(`${refusal.message}\n${refusal.remedy}\n`, refusal.retryable ? 429 : 401)
    startSession(c, login)
    return c.redirect('/', 303)
  })
  app.post('/login', async (c) => {
    const body = await readJson(c)
    if (body.kind === 'failed') return problemResponse(c, body.problem)
    const input = LoginInput.safeParse(body.value)
    if (!input.success) return problemResponse(c, TOKEN_MISSING)
    const refusal = refuseToken(input.data.token.trim(), login)
    if (refusal !== null) return problemResponse(c, refusal)
    startSession(c, login)
    return c.body(null, 204)
  })
}

const TOKEN_MISSING = problem('INPUT_INVALID', {
  message: 'The login needs the token.',
  remedy: 'Send { "token": "..." }.',
})

function startSession(c: Context<AppEnv>, { token, port, now }: Login): void {
  setCookie(c, sessionCookieName(port()), sealSession(token, port(), now()), {
    httpOnly: true,
    sameSite: 'Strict',
    path: '/',
    maxAge: SESSION_MS / 1000,
  })
}
