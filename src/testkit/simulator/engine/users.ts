import type { MetricAnswer } from '../../../core/rollout/observation.ts'
import { problem } from '../../../core/shared/problem.ts'
import type { ShadowCounts, TrafficCounts } from '../../../core/shared/traffic-counts.ts'
import { ServiceCounts } from '../../../core/shared/traffic-counts.ts'
import { trafficOf } from '../../traffic.ts'
import { type Answers, copyingIn, withCopies } from './copies.ts'
import { closedSeen, type SimulatedRouter } from './router.ts'
import type { Scheduler } from './scheduler.ts'
import type { SimulatedTarget } from './target.ts'

/** Share of requests that fail, and the latency bucket they fall in. */
export type Quality = { errorShare: number; bucket: number }
/** What the source of numbers says instead of the truth. */
export type MetricFault = 'no-data' | 'failure' | 'nan' | 'frozen' | 'backwards'

const GOAL_SHARE = 0.1

const GOOD: Quality = { errorShare: 0, bucket: 5 }

type Meter = {
  since: number
  counts: Map<string, TrafficCounts>
  unroutable: number
  closed: number
  owed: Map<string, number>
  /** Of A/B tests, by test and variant: since the counters began, and ever. */
  arms: Map<string, number>
  reached: Map<string, number>
  /** Of copied requests: since the counters began, and ever by whose counts they are. */
  copies: ShadowCounts | null
  copied: Map<string, number>
}

/**
 * A steady stream of users: requests follow the routes in force and the instances that truly answer, and are counted
 * exactly. Nothing is computed until somebody asks or the routes change.
 */
export type SimulatedUsers = {
  /** Counts what flowed up to now. */
  settle(service: string): void
  quality(release: string, quality: Partial<Quality>): void
  qualityOf(release: string): Quality
  /** Requests that the release answered since its counters began. */
  served(service: string, release: string): number
  /** Users of an arm of a test who ever reached the goal. */
  reached(service: string, salt: string, variant: string | null): number
  /** Requests that were ever copied for a rollout. */
  copied(service: string, salt: string): number
  strike(fault: MetricFault | null): void
  query(service: string, at: number): MetricAnswer
  /** The data plane counts from zero again. */
  restart(): void
  heal(): void
}

export function createUsers(
  scheduler: Scheduler,
  parts: {
    target: SimulatedTarget
    router: () => SimulatedRouter
    requestsPerSecond: number
    /** The same wherever users come in. */
    qualities: Map<string, Quality>
  },
): SimulatedUsers {
  const meters = new Map<string, Meter>()
  const { qualities } = parts
  let fault: MetricFault | null = null
  let last: ServiceCounts | null = null

  function meter(service: string): Meter {
    const found = meters.get(service) ?? {
      ...{ since: 0, counts: new Map(), unroutable: 0, closed: 0, owed: new Map() },
      ...{ arms: new Map(), reached: new Map(), copies: null, copied: new Map() },
    }
    meters.set(service, found)
    return found
  }

  function settle(service: string): void {
    const mine = meter(service)
    const requests = ((scheduler.now() - mine.since) / 1000) * parts.requestsPerSecond
    mine.since = scheduler.now()
    const entry = parts.router().entry(service)
    const { sets } = entry
    if (closedSeen(entry).closed !== undefined) {
      mine.closed += owed(mine, 'closed', requests)
      return
    }
    if (requests === 0 || sets.length === 0) return
    reachGoals(mine, service, requests)
    const up = new Set(
      parts.target
        .instances(service)
        .filter(({ state }) => state === 'ready' || state === 'unready')
        .map(({ id }) => id),
    )
    copy(mine, copyingIn(entry, up), requests)
    for (const { release, weightPermille, instances } of sets) {
      const sent = owed(mine, release, (requests * weightPermille) / 1000)
      if (sent === 0) continue
      if (instances.some(({ id, state }) => state === 'active' && up.has(id))) serve(mine, release, sent)
      else mine.unroutable += sent
    }
  }

  function copy(mine: Meter, copying: ReturnType<typeof copyingIn>, requests: number): void {
    if (copying === null) return
    const { mirror, user } = copying
    const pairs = owed(mine, `copies ${mirror.salt}`, (requests * mirror.sharePermille) / 1000)
    const answers = (release: string): Answers => {
      const { errorShare, bucket } = qualities.get(release) ?? GOOD
      return { bucket, errors: Math.min(pairs, owed(mine, `${release} copied errors`, pairs * errorShare)) }
    }
    const sides = { candidate: answers(mirror.release), user: answers(user) }
    mine.copies = withCopies(mine.copies, mirror, { pairs, ...sides })
    mine.copied.set(mirror.salt, (mine.copied.get(mirror.salt) ?? 0) + pairs)
  }

  /** A tenth of the users of each arm reach the goal. */
  function reachGoals(mine: Meter, service: string, requests: number): void {
    for (const { key, share } of armsOf(parts.router(), service)) {
      const goals = owed(mine, `goals ${key}`, requests * share * GOAL_SHARE)
      for (const counts of [mine.arms, mine.reached]) counts.set(key, (counts.get(key) ?? 0) + goals)
    }
  }

  function serve(mine: Meter, release: string, sent: number): void {
    const { errorShare, bucket } = qualities.get(release) ?? GOOD
    const counts = mine.counts.get(release) ?? trafficOf()
    mine.counts.set(release, counts)
    counts.requests += sent
    counts.errors += Math.min(sent, owed(mine, `${release} errors`, sent * errorShare))
    counts.latencyBuckets[bucket] = (counts.latencyBuckets[bucket] ?? 0) + sent
  }

  function truth(service: string): ServiceCounts {
    settle(service)
    const { counts, unroutable, closed } = meter(service)
    const releases = [...counts].map(([release, total]) => ({
      release,
      total: { ...total, latencyBuckets: [...total.latencyBuckets] },
      routes: {},
    }))
    const variants = armsOf(parts.router(), service).map(({ key, salt, variant }) => {
      const goals = meter(service).arms.get(key) ?? 0
      return { salt, variant, users: goals, goals }
    })
    const counted = { service, boot: parts.router().boot(), releases, unroutable, closed, refused: 0 }
    const { copies } = meter(service)
    const shadow = copies === null ? {} : { shadow: copies }
    return variants.length === 0 ? { ...counted, ...shadow } : { ...counted, variants, ...shadow }
  }

  return {
    settle,
    quality: (release, quality) => qualities.set(release, { ...GOOD, ...quality }),
    qualityOf: (release) => qualities.get(release) ?? GOOD,
    served: (service, release) => meter(service).counts.get(release)?.requests ?? 0,
    copied: (service, salt) => meter(service).copied.get(salt) ?? 0,
    reached: (service, salt, variant) => meter(service).reached.get(armKey(salt, variant)) ?? 0,
    strike: (with_) => {
      fault = with_
    },
    restart: () => {
      for (const mine of meters.values())
        Object.assign(mine, {
          counts: new Map(),
          arms: new Map(),
          copies: null,
          unroutable: 0,
          closed: 0,
          since: scheduler.now(),
        })
    },
    heal: () => {
      fault = null
    },
    query: (service, at) => {
      const counts = truth(service)
      switch (fault) {
        case null:
          last = counts
          return { kind: 'samples', at, counts }
        case 'no-data':
          return { kind: 'no-data', at }
        case 'failure':
          return { kind: 'failure', at, problem: broken('The source does not answer.') }
        case 'nan':
          return parsed(withNaN(counts), at)
        case 'frozen':
          return { kind: 'samples', at, counts: last?.service === service ? last : counts }
        case 'backwards':
          return { kind: 'samples', at, counts: halved(counts) }
      }
    },
  }
}

const armKey = (salt: string, variant: string | null): string => `${salt} ${variant ?? ''}`

/** The arms of the test that is on, while the candidate has just the share of its variants. */
function armsOf(router: SimulatedRouter, service: string) {
  const { routes, sets } = router.entry(service)
  const sticky = routes?.sticky
  if (sticky?.kind !== 'assign' || sticky.test === undefined) return []
  const { salt, test, release } = sticky
  const planned = test.variants.reduce((sum, { sharePermille }) => sum + sharePermille, 0)
  if (sets.find((set) => set.release === release)?.weightPermille !== planned) return []
  const control = { name: null, sharePermille: 1000 - planned }
  return [control, ...test.variants].map(({ name: variant, sharePermille }) => ({
    ...{ salt, variant, share: sharePermille / 1000 },
    key: armKey(salt, variant),
  }))
}

/** As every adapter does: what is not a whole number never gets in. */
function parsed(counts: unknown, at: number): MetricAnswer {
  const fits = ServiceCounts.safeParse(counts)
  return fits.success
    ? { kind: 'samples', at, counts: fits.data }
    : { kind: 'failure', at, problem: broken('The source answered what is no count.') }
}

const broken = (message: string) =>
  problem('METRICS_BROKEN', { message, remedy: 'Look at the source.', retryable: true })

const changed = (counts: ServiceCounts, change: (count: number) => number): ServiceCounts => ({
  ...counts,
  releases: counts.releases.map(({ total, ...rest }) => ({ ...rest, total: changedTraffic(total, change) })),
  ...(counts.shadow === undefined ? {} : { shadow: changedCopies(counts.shadow, change) }),
})

const changedCopies = (shadow: ShadowCounts, change: (count: number) => number): ShadowCounts => ({
  ...shadow,
  candidate: changedTraffic(shadow.candidate, change),
  stable: changedTraffic(shadow.stable, change),
  answered: change(shadow.answered),
})

const changedTraffic = (total: TrafficCounts, change: (count: number) => number): TrafficCounts => ({
  ...total,
  requests: change(total.requests),
  errors: change(total.errors),
  latencyBuckets: total.latencyBuckets.map(change),
})
const withNaN = (counts: ServiceCounts): ServiceCounts => changed(counts, () => Number.NaN)
const halved = (counts: ServiceCounts): ServiceCounts => changed(counts, (count) => Math.floor(count / 2))

/** Whole requests; what is left of a share is carried on, so that shares are exact in the long run. */
function owed({ owed }: Meter, key: string, amount: number): number {
  const total = (owed.get(key) ?? 0) + amount
  const whole = Math.floor(total + 1e-9)
  owed.set(key, total - whole)
  return whole
}
