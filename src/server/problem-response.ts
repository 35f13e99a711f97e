import type { Context } from 'hono'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import type { Problem } from '../core/shared/problem.ts'

/** A problem as `application/problem+json`. Extra members (`problems`, `path`) travel along. */
export function problemResponse(c: Context, problem: Problem, status = statusOf(problem.code)): Response {
  return c.body(JSON.stringify(problem), status, { 'content-type': 'application/problem+json' })
}

const EXACT: Readonly<Record<string, ContentfulStatusCode>> = {
  ALERTS_NOT_READABLE: 400,
  BODY_NOT_JSON: 400,
  BODY_TOO_LARGE: 413,
  CONTENT_TYPE_NOT_JSON: 415,
  EVENTS_LIMIT: 503,
  HOST_NOT_ALLOWED: 421,
  INTERNAL: 500,
  LOGIN_FAILED: 401,
  LOGIN_RATE_LIMITED: 429,
  LOGIN_REQUIRED: 401,
  METHOD_NOT_ALLOWED: 405,
  NOT_ALLOWED: 403,
  OPERATION_TIMEOUT: 504,
  ORIGIN_NOT_ALLOWED: 403,
  SERVICE_AMBIGUOUS: 400,
}

/** Bad input 400, missing things 404, unreachable parts 503; everything else a person may be refused is 409. */
export function statusOf(code: string): ContentfulStatusCode {
  const exact = EXACT[code]
  if (exact !== undefined) return exact
  if (code.endsWith('_NOT_FOUND')) return 404
  if (/_(UNREACHABLE|UNAVAILABLE|TIMEOUT|NOT_RUNNING)$/.test(code)) return 503
  if (/^(INPUT|CONFIG|ARTIFACT)_/.test(code)) return 400
  return 409
}
