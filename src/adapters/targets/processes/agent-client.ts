import { Agent, request } from 'undici'
import * as z from 'zod'
import { Problem, problem } from '../../../core/shared/problem.ts'
import { failed, ok, type Result } from '../../../core/shared/result.ts'

type AgentCall<T> = {
  method: 'GET' | 'PUT' | 'POST' | 'DELETE'
  path: string
  body?: unknown
  answer: z.ZodType<T>
  limitMs?: number
}
/** Asks the agent once; every failure to get an answer is `TARGET_UNREACHABLE`. */
export type AgentClient = { call<T>(call: AgentCall<T>): Promise<Result<T>> }

export const servicePath = (service: string): string => `/services/${encodeURIComponent(service)}`

/** The agent answers from memory; after this long it is not there for us, whatever the reason. */
const CALL_LIMIT_MS = 2000

const Refusal = z.object({ problem: Problem })

export function createAgentClient(socket: string): AgentClient {
  // One connection per call: a kept one would be dead after a restart of the agent, and a call must not be sent twice.
  const dispatcher = new Agent({ connect: { socketPath: socket }, pipelining: 0 })

  async function call<T>({
    method,
    path,
    body,
    answer,
    limitMs = CALL_LIMIT_MS,
  }: AgentCall<T>): Promise<Result<T>> {
    try {
      const response = await request(`http://agent${path}`, {
        method,
        dispatcher,
        signal: AbortSignal.timeout(limitMs),
        headersTimeout: limitMs,
        bodyTimeout: limitMs,
        ...(body === undefined
          ? {}
          : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
      })
      return read(await response.body.json(), response.statusCode, answer)
    } catch (error) {
      return failed(unreachable(socket, error))
    }
  }
  return { call }
}

function read<T>(body: unknown, status: number, answer: z.ZodType<T>): Result<T> {
  if (status >= 300) {
    const refusal = Refusal.safeParse(body)
    return failed(refusal.success ? refusal.data.problem : misunderstood(`status ${status}`))
  }
  const parsed = answer.safeParse(body)
  return parsed.success ? ok(parsed.data) : failed(misunderstood(z.prettifyError(parsed.error)))
}

const unreachable = (socket: string, error: unknown): Problem =>
  problem('TARGET_UNREACHABLE', {
    message: `the host agent does not answer on ${socket}`,
    cause: error instanceof Error ? error.message : String(error),
    remedy: 'What it started runs on. Start it again with: sluice up.',
    retryable: true,
  })

const misunderstood = (what: string): Problem =>
  problem('TARGET_MISUNDERSTOOD', {
    message: `the host agent gave an answer that this controller cannot read: ${what}`,
    remedy: 'Run the agent and the controller in the same version.',
  })
