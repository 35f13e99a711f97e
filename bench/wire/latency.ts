import { setTimeout as pause } from 'node:timers/promises'
import type { BenchOptions } from '../kit/row.ts'
import { type OpenLoop, startOpenLoop } from './open-loop/open-loop.ts'
import { bestRank } from './place.ts'
import { type Servers, withServers } from './servers.ts'
import { type Stall, type StallWatch, undisturbed, watchStalls } from './stalls.ts'
import { requestsPerSecond } from './wrk.ts'

export const RATE_PER_SECOND = 1_000

/** Many short rounds rather than few long ones: a stall of the machine then spoils one of them and not the median. */
const ROUNDS = { usual: 15, quick: 3 }
const REQUESTS = 1_000
/** As fast as each way goes, before the rounds that count: caches and compilers are cold. */
const WARM_UP_SECONDS = 3
/** With fewer, a 99th percentile would be the largest of a handful. */
const FEWEST_CLEAR = 300
/** A witness writes its line when its stall is over. */
const LAST_WORDS_MS = 200

export const WAYS = ['origin', 'haproxy', 'httpxy', 'sluice'] as const
export type Way = (typeof WAYS)[number]

export type Round = {
  /** Every latency, for each way. */
  all: Record<Way, number[]>
  /** Those that met no stall of the machine; `null` when they are too few, or nobody could watch. */
  clear: Record<Way, number[]> | null
  /** How late the client itself was. Part of the latencies, alike for every way. */
  delaysMs: number[]
}

/**
 * Latency in an open loop at 1,000 requests a second, straight to the origin and through each proxy, one after the other
 * in every round; the order turns.
 */
export async function benchLatency({ quick, say }: BenchOptions): Promise<Round[]> {
  const rank = bestRank()
  if (rank === 'ordinary') say('No real-time priority here: neighbours on these cores are measured too.')
  const client = startOpenLoop(rank)
  const watch = rank === 'realtime' ? watchStalls() : null
  try {
    return await withServers(rank, async (servers) => {
      for (const way of WAYS)
        await requestsPerSecond({ port: servers[way].port, seconds: WARM_UP_SECONDS, rank })
      // The client warms up where nothing else can be late.
      await client.measure({ port: servers.origin.port, ratePerSecond: RATE_PER_SECOND, requests: REQUESTS })
      const rounds: Round[] = []
      for (let turn = 0; turn < (quick ? ROUNDS.quick : ROUNDS.usual); turn += 1)
        rounds.push(await measureRound({ client, watch, servers, turn }))
      return rounds
    })
  } finally {
    await client.end()
    await watch?.end()
  }
}

type Stage = { client: OpenLoop; watch: StallWatch | null; servers: Servers; turn: number }

async function measureRound({ client, watch, servers, turn }: Stage): Promise<Round> {
  const all: Round['all'] = { origin: [], haproxy: [], httpxy: [], sluice: [] }
  const startsMs: Record<Way, number> = { origin: 0, haproxy: 0, httpxy: 0, sluice: 0 }
  const delays: number[][] = []
  for (const [at] of WAYS.entries()) {
    const way = WAYS[(at + turn) % WAYS.length] ?? 'origin'
    const order = { port: servers[way].port, ratePerSecond: RATE_PER_SECOND, requests: REQUESTS }
    const measured = await client.measure(order)
    all[way] = measured.latenciesMs
    startsMs[way] = measured.startMs
    delays.push(measured.delaysMs)
  }
  if (watch !== null) await pause(LAST_WORDS_MS)
  return { all, clear: watch === null ? null : clearOf(all, startsMs, watch.stalls), delaysMs: delays.flat() }
}

function clearOf(all: Round['all'], startsMs: Record<Way, number>, stalls: readonly Stall[]): Round['clear'] {
  const clear = (way: Way): number[] => {
    const timed = all[way].map((tookMs, request) => ({
      atMs: startsMs[way] + (request * 1_000) / RATE_PER_SECOND,
      tookMs,
    }))
    return undisturbed(timed, stalls)
  }
  const { origin, haproxy, httpxy, sluice } = {
    origin: clear('origin'),
    haproxy: clear('haproxy'),
    httpxy: clear('httpxy'),
    sluice: clear('sluice'),
  }
  const isEnough = [origin, haproxy, httpxy, sluice].every(({ length }) => length >= FEWEST_CLEAR)
  return isEnough ? { origin, haproxy, httpxy, sluice } : null
}
