import { Pool, request } from 'undici'
import { problem } from '../../../core/shared/problem.ts'
import { ServiceCounts } from '../../../core/shared/traffic-counts.ts'
import type { MetricAnswer, MetricSource } from '../../../ports/metric.ts'

export type BuiltinMetricOptions = {
  /** Control socket of the proxy. */
  socket: string
  /** Milliseconds since the Unix epoch. */
  now: () => number
}

/** Answered from memory; the same deadline as every call on the control socket. */
const CALL_TIMEOUT_MS = 2_000
/** One slow call (a write to the disk) must not hold up the others. */
const CONNECTIONS = 4

/** Reads the counters that the built-in data plane keeps of what really happened. */
export function createBuiltinMetricSource({ socket, now }: BuiltinMetricOptions): MetricSource {
  const client = new Pool('http://proxy', { socketPath: socket, connections: CONNECTIONS })
  return { kind: 'builtin', query: (service) => query(client, service, now) }
}

async function query(client: Pool, service: string, now: () => number): Promise<MetricAnswer> {
  try {
    const answer = await request(`http://proxy/services/${encodeURIComponent(service)}/counts`, {
      dispatcher: client,
      signal: AbortSignal.timeout(CALL_TIMEOUT_MS),
    })
    const body = await answer.body.json()
    if (answer.statusCode === 404) return { kind: 'no-data', at: now() }
    const counts = ServiceCounts.safeParse(body)
    if (answer.statusCode === 200 && counts.success)
      return { kind: 'samples', at: now(), counts: counts.data }
    return failure(now(), service, counts.error?.message ?? `answer ${answer.statusCode}`)
  } catch (error) {
    return failure(now(), service, error instanceof Error ? error.message : String(error))
  }
}

const failure = (at: number, service: string, cause: string): MetricAnswer => ({
  kind: 'failure',
  at,
  problem: problem('COUNTS_UNREADABLE', {
    message: `The counters of ${service} cannot be read from the built-in proxy.`,
    cause,
    remedy: 'Look at the log of the proxy. The analysis waits and does not guess.',
    retryable: true,
  }),
})
