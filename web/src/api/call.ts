import type { Problem } from '../../../src/core/shared/problem.ts'

const DEADLINE_MS = 35_000

/** A refusal or failure of the API, with what the reader can do. */
export class ApiError extends Error {
  readonly problem: Problem
  constructor(problem: Problem) {
    super(problem.message)
    this.problem = problem
  }
}

/** Calls an operation. The server reads and writes by the same schemas, so the output is taken as it comes. */
export async function call<Output>(
  operation: string,
  input: object = {},
  signal?: AbortSignal,
): Promise<Output> {
  const answer = await post(`/api/v1/${operation}`, input, signal)
  return answer.json()
}

/** Trades the token for the session cookie. */
export async function login(token: string): Promise<void> {
  await post('/login', { token })
}

async function post(path: string, input: object, signal?: AbortSignal): Promise<Response> {
  const deadline = AbortSignal.timeout(DEADLINE_MS)
  const request = fetch(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(input),
    signal: signal === undefined ? deadline : AbortSignal.any([signal, deadline]),
  })
  const answer = await request.catch((error: unknown) => {
    throw new ApiError(unreachable(error))
  })
  if (!answer.ok) throw new ApiError(await problemOf(answer))
  return answer
}

const unreachable = (error: unknown): Problem => ({
  code: 'CONTROLLER_UNREACHABLE',
  message: 'The controller does not answer.',
  cause: error instanceof Error ? error.message : String(error),
  remedy: 'Traffic goes on without it. Start it again with "sluice up".',
  retryable: true,
})

async function problemOf(answer: Response): Promise<Problem> {
  if (answer.headers.get('content-type')?.startsWith('application/problem+json')) return answer.json()
  return {
    code: 'CONTROLLER_ANSWER_UNREADABLE',
    message: `The controller answered ${answer.status} without a reason.`,
    remedy: 'Reload the page. If it happens again, look into controller.log.',
    retryable: true,
  }
}

/** Whatever a query threw, as a problem to show. */
export function toProblem(error: unknown): Problem {
  if (error instanceof ApiError) return error.problem
  return {
    code: 'PAGE_FAILED',
    message: 'The page ran into a problem of its own.',
    cause: error instanceof Error ? error.message : String(error),
    remedy: 'Reload the page.',
    retryable: true,
  }
}
