import type { Context, MiddlewareHandler } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { type Problem, problem } from '../core/shared/problem.ts'
import { failed, ok, type Result } from '../core/shared/result.ts'
import type { AppEnv } from './app-env.ts'
import { problemResponse } from './problem-response.ts'

export const MAX_BODY_BYTES = 1024 * 1024
/** Our deepest input has four levels; deeper ones only cost time. */
const MAX_DEPTH = 32

export const limitBody: MiddlewareHandler<AppEnv> = bodyLimit({
  maxSize: MAX_BODY_BYTES,
  onError: (c) =>
    problemResponse(
      c,
      problem('BODY_TOO_LARGE', {
        message: `The body is larger than ${MAX_BODY_BYTES} bytes.`,
        remedy: 'Send less.',
      }),
    ),
})

/** The JSON of a request. The content type is demanded, because a foreign page can send a form but not JSON. */
export async function readJson(c: Context<AppEnv>): Promise<Result<unknown>> {
  const type = c.req.header('content-type') ?? ''
  if (!/^application\/json *(;|$)/i.test(type)) return failed(notJsonType(type))
  const text = await c.req.text()
  try {
    const value: unknown = text === '' ? {} : JSON.parse(text)
    return isDeeperThan(value, MAX_DEPTH)
      ? failed(notJson(`nested deeper than ${MAX_DEPTH} levels`))
      : ok(value)
  } catch (error) {
    return failed(notJson(error instanceof Error ? error.message : String(error)))
  }
}

const notJsonType = (type: string): Problem =>
  problem('CONTENT_TYPE_NOT_JSON', {
    message: `The content type is "${type.slice(0, 100)}", not "application/json".`,
    remedy: 'Send the header "Content-Type: application/json".',
  })

const notJson = (cause: string): Problem =>
  problem('BODY_NOT_JSON', {
    message: 'The body cannot be read as JSON.',
    cause,
    remedy: 'Send one JSON object.',
  })

/** Level by level instead of recursively: a hostile depth must not end in a stack overflow. */
export function isDeeperThan(value: unknown, maxDepth: number): boolean {
  let level: unknown[] = [value]
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > maxDepth) return true
    level = level.flatMap((item) => (typeof item === 'object' && item !== null ? Object.values(item) : []))
  }
  return false
}
