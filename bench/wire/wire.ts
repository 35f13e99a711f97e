import type { Rank } from './place.ts'
import type { Running } from './proxy-under-test.ts'
import { type OnBothCores, type Servers, withBothCores, withServers } from './servers.ts'
import { requestsPerSecond } from './wrk.ts'

/** One line of the result: a ratio or a time over all rounds, and the goal it is held against. */
export type WireRow = {
  what: string
  unit: string
  min: number
  median: number
  max: number
  goal: string
  met: boolean
}

/** Rounds that count; one more comes first and is thrown away, because caches and compilers are cold. */
const ROUNDS = 5
const SECONDS = 3
/** Two full cores of real-time load would leave nothing to the rest of the machine. */
const RANK: Rank = 'ordinary'

/**
 * Throughput of the built-in data plane against HAProxy (one thread) and httpxy in front of the same origin, and of two of
 * its processes against one. Only ratios inside a round are compared: machines are noisy.
 */
export const benchWire = (): Promise<WireRow[]> =>
  withServers(RANK, (servers) =>
    withBothCores({ origin: servers.origin, rank: RANK }, (both) => measure({ ...servers, ...both })),
  )

async function measure({ sluice, haproxy, httpxy, one, two }: Servers & OnBothCores): Promise<WireRow[]> {
  const ofHaproxy: number[] = []
  const ofHttpxy: number[] = []
  const ofOne: number[] = []
  const absolute: number[] = []
  for (let round = 0; round <= ROUNDS; round += 1) {
    // The order turns, so that nobody always runs on the warmest machine.
    const rates = new Map<Running, number>()
    const order = [sluice, haproxy, httpxy, one, two]
    for (let at = 0; at < order.length; at += 1) {
      const server = order[(at + round) % order.length]
      if (server !== undefined)
        rates.set(server, await requestsPerSecond({ port: server.port, seconds: SECONDS, rank: RANK }))
    }
    if (round === 0) continue
    const own = rates.get(sluice) ?? 0
    absolute.push(own)
    ofHaproxy.push(own / (rates.get(haproxy) ?? 1))
    ofHttpxy.push(own / (rates.get(httpxy) ?? 1))
    ofOne.push((rates.get(two) ?? 0) / (rates.get(one) ?? 1))
  }
  return [
    row('throughput of HAProxy, one thread', 'x', ofHaproxy, {
      goal: 'at least 0.5',
      met: (median) => median >= 0.5,
    }),
    row('throughput of httpxy', 'x', ofHttpxy, { goal: 'at least 1.3', met: (median) => median >= 1.3 }),
    row('throughput of two processes against one', 'x', ofOne, { goal: 'none', met: () => true }),
    row('throughput', 'req/s', absolute, { goal: 'none', met: () => true }),
  ]
}

function row(
  what: string,
  unit: string,
  values: number[],
  { goal, met }: { goal: string; met: (median: number) => boolean },
): WireRow {
  const sorted = [...values].sort((a, b) => a - b)
  const median = sorted[Math.floor(sorted.length / 2)] ?? 0
  return { what, unit, min: sorted[0] ?? 0, median, max: sorted.at(-1) ?? 0, goal, met: met(median) }
}
