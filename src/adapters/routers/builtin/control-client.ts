import { Pool, request } from 'undici'
import { Problem, problem } from '../../../core/shared/problem.ts'
import { failed, ok, type Result } from '../../../core/shared/result.ts'

/** Every call on the control socket is local and answered from memory or one small file: 2 s is generous. */
const CALL_TIMEOUT_MS = 2_000
/** One slow call (a write to the disk) must not hold up the others. */
const CONNECTIONS = 4

type Call = {
  method: 'GET' | 'PUT' | 'POST' | 'DELETE'
  path: string
  body?: unknown
  timeoutMs?: number
}

/** Speaks HTTP to the data plane over its control socket. */
export class ControlClient {
  private readonly socket: string
  private readonly client: Pool

  constructor(socket: string) {
    this.socket = socket
    this.client = new Pool('http://proxy', { socketPath: socket, connections: CONNECTIONS })
  }

  /** The parsed JSON of a good answer, or the problem that the data plane named. */
  async call({ method, path, body, timeoutMs = CALL_TIMEOUT_MS }: Call): Promise<Result<unknown>> {
    try {
      const answer = await request(`http://proxy${path}`, {
        dispatcher: this.client,
        method,
        signal: AbortSignal.timeout(timeoutMs),
        ...(body === undefined
          ? {}
          : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
      })
      const value = await answer.body.json()
      return answer.statusCode === 200 ? ok(value) : failed(this.problemOf(value, answer.statusCode))
    } catch (error) {
      return failed(this.unreachable(error instanceof Error ? error.message : String(error)))
    }
  }

  private problemOf(value: unknown, status: number): Problem {
    const parsed = Problem.safeParse(value)
    return parsed.success ? parsed.data : this.unreachable(`answer ${status} without a problem`)
  }

  unreachable(cause: string): Problem {
    return problem('ROUTER_UNREACHABLE', {
      message: `The built-in proxy does not answer on ${this.socket}.`,
      cause,
      remedy:
        'Traffic goes on as it was. Look at the log of the proxy; the controller starts it again when it is gone.',
      retryable: true,
    })
  }
}
