import { randomBytes } from 'node:crypto'
import type { Context as Request } from 'hono'
import * as z from 'zod'
import { type Problem, problem } from '../core/shared/problem.ts'
import type { Result } from '../core/shared/result.ts'
import type { Operation } from '../operations/operation.ts'
import { patienceMs } from '../operations/patience.ts'
import type { Log } from '../ports/log.ts'
import type { AppEnv } from './app-env.ts'
import type { Settings } from './options.ts'
import { nearest, parseInput } from './parse-input.ts'
import { problemResponse } from './problem-response.ts'
import { readJson } from './read-json.ts'

/** `POST /api/v1/<operation>`: find, read, run, answer. */
export async function answerOperation<Context>(
  c: Request<AppEnv>,
  settings: Settings<Context>,
): Promise<Response> {
  const name = c.req.param('operation') ?? ''
  const found = settings.operations.find((one) => one.name === name)
  if (found === undefined)
    return problemResponse(
      c,
      unknownOperation(
        name,
        settings.operations.map((one) => one.name),
      ),
    )
  if (c.req.method !== 'POST') return methodNotAllowed(c, name)
  const body = await readJson(c)
  if (body.kind === 'failed') return problemResponse(c, body.problem)
  const key = c.req.header(IDEMPOTENCY_HEADER)
  const input = parseInput(found.input, withKey(found.input, body.value, key))
  if (input.kind === 'failed') return problemResponse(c, input.problem)
  const result = await withDeadline(
    found.name,
    patienceMs(found.name, settings.limits.operationMs),
    found.run(settings.context, input.value, c.get('caller')),
  )
  return answerResult(c, { operation: found, result, log: settings.log })
}

const IDEMPOTENCY_HEADER = 'idempotency-key'

/** The header names the request for operations that take such a name; one in the body counts more. */
function withKey(schema: z.ZodType, body: unknown, idempotencyKey: string | undefined): unknown {
  const isTaken = schema instanceof z.ZodObject && 'idempotencyKey' in schema.shape
  if (idempotencyKey === undefined || !isTaken) return body
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return body
  return { idempotencyKey, ...body }
}

const unknownOperation = (name: string, known: readonly string[]): Problem => {
  const near = nearest(name, known)
  return problem('OPERATION_NOT_FOUND', {
    message: `There is no operation "${name.slice(0, 100)}".`,
    remedy: near === null ? 'The operations are listed in /api/v1/openapi.json.' : `Did you mean "${near}"?`,
  })
}

function methodNotAllowed(c: Request<AppEnv>, name: string): Response {
  c.header('allow', 'POST')
  return problemResponse(
    c,
    problem('METHOD_NOT_ALLOWED', {
      message: `The operation "${name}" does not take ${c.req.method}.`,
      remedy: 'Send a POST with a JSON body.',
    }),
  )
}

async function withDeadline<T>(
  name: string,
  deadlineMs: number,
  running: Promise<Result<T>>,
): Promise<Result<T>> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<Result<T>>((resolve) => {
    timer = setTimeout(() => resolve({ kind: 'failed', problem: tooSlow(name, deadlineMs) }), deadlineMs)
  })
  try {
    return await Promise.race([running, late])
  } finally {
    clearTimeout(timer)
  }
}

const tooSlow = (name: string, deadlineMs: number): Problem =>
  problem('OPERATION_TIMEOUT', {
    message: `The operation "${name}" gave no answer within ${deadlineMs / 1000} s. It may still take effect.`,
    remedy: 'Look at the state of the service before you repeat it.',
    retryable: true,
  })

type Answer<Context> = { operation: Operation<Context>; result: Result<unknown>; log: Log }

/** The output is read by its own schema: what the reference does not name does not leave, and a wrong shape is our bug. */
function answerResult<Context>(c: Request<AppEnv>, { operation, result, log }: Answer<Context>): Response {
  if (result.kind === 'failed') return problemResponse(c, result.problem)
  const output = operation.output.safeParse(result.value)
  if (output.success) return c.body(JSON.stringify(output.data), 200, { 'content-type': 'application/json' })
  return internalError(c, log, output.error)
}

/** A bug: the caller gets an id, the log gets the rest. */
export function internalError(c: Request<AppEnv>, log: Log, error: unknown): Response {
  const id = randomBytes(5).toString('hex')
  log.error('request failed with a bug', {
    id,
    method: c.req.method,
    path: c.req.path,
    error: error instanceof Error ? (error.stack ?? error.message) : String(error),
  })
  return problemResponse(
    c,
    problem('INTERNAL', {
      message: `Something went wrong inside the controller (${id}).`,
      remedy: `Look for ${id} in controller.log and report it; this is a bug.`,
    }),
  )
}
