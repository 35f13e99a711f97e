import type { MiddlewareHandler } from 'hono'
import type { AppEnv } from './app-env.ts'

const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
  "form-action 'self'",
].join('; ')

/** On every answer, errors included. Whoever serves a file that may be kept says so itself. */
export const securityHeaders: MiddlewareHandler<AppEnv> = async (c, next) => {
  await next()
  c.header('content-security-policy', CONTENT_SECURITY_POLICY)
  c.header('referrer-policy', 'no-referrer')
  c.header('x-content-type-options', 'nosniff')
  c.header('x-frame-options', 'DENY')
  c.header('cross-origin-opener-policy', 'same-origin')
  c.header('cross-origin-resource-policy', 'same-origin')
  const keptByChoice = c.res.headers.get('cache-control') !== null && !c.req.path.startsWith('/api/')
  if (!keptByChoice) c.header('cache-control', 'no-store')
}
