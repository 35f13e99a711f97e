import { routerTitle } from '../plan/router/router-fit.ts'
import { addTraffic } from '../shared/add-counts.ts'
import type { RouterName } from '../shared/router-ability.ts'
import type { InstanceTraffic, RouterState } from '../shared/router-state.ts'
import type { ReleaseCounts, ServiceCounts } from '../shared/traffic-counts.ts'
import type { MetricAnswer } from './observation.ts'

/** What one of the routers of a service answered. */
export type RouterAnswer = { router: RouterName; answer: MetricAnswer }

/**
 * The answer of all routers of a service. One that failed or has nothing speaks for all: half of the numbers could hide what
 * the other half shows.
 */
export function countsTogether(first: RouterAnswer, others: readonly RouterAnswer[]): MetricAnswer {
  const all = [first, ...others]
  if (others.length === 0) return first.answer
  for (const { router, answer } of all)
    if (answer.kind === 'failure') {
      const { problem } = answer
      return { ...answer, problem: { ...problem, message: `${routerTitle(router)}: ${problem.message}` } }
    }
  const counted = all.flatMap(({ answer }) => (answer.kind === 'samples' ? [answer] : []))
  const [main, ...also] = counted
  const at = Math.max(...all.map(({ answer }) => answer.at))
  if (main === undefined || counted.length < all.length) return { kind: 'no-data', at }
  return { kind: 'samples', at, counts: { ...main.counts, also: also.map(({ counts }) => counts) } }
}

/**
 * One table of all routers, for those who read totals. Its `boot` is that of all of them: where one was restarted the totals
 * begin anew. Numbers of their own that a sum says nothing about (apart, variants, shadow) are those of the first.
 */
export function summedCounts({ also = [], ...first }: ServiceCounts): ServiceCounts {
  const all = [first, ...also]
  if (also.length === 0) return first
  const sum = (pick: (counts: (typeof all)[number]) => number): number =>
    all.reduce((total, counts) => total + pick(counts), 0)
  const releases = [...new Set(all.flatMap((one) => one.releases.map(({ release }) => release)))]
  return {
    ...first,
    boot: all.map(({ boot }) => boot).join(' '),
    releases: releases.map((release) =>
      sumOfRelease(
        release,
        all.flatMap((one) => one.releases.filter((counts) => counts.release === release)),
      ),
    ),
    unroutable: sum((counts) => counts.unroutable),
    refused: sum((counts) => counts.refused),
    ...(all.some(({ closed }) => closed !== undefined) ? { closed: sum(({ closed = 0 }) => closed) } : {}),
    ...(all.some(({ missing }) => missing !== undefined)
      ? { missing: sum(({ missing = 0 }) => missing) }
      : {}),
  }
}

function sumOfRelease(release: string, all: readonly ReleaseCounts[]): ReleaseCounts {
  const routes = [...new Set(all.flatMap((one) => Object.keys(one.routes)))]
  return {
    release,
    total: all.map(({ total }) => total).reduce(addTraffic),
    routes: Object.fromEntries(
      routes.map((name) => [name, all.flatMap((one) => one.routes[name] ?? []).reduce(addTraffic)]),
    ),
  }
}

/** What all routers have under way, for those who look on: the state of the first, with the work of all. */
export function stateTogether(states: readonly RouterState[]): RouterState | null {
  const [first, ...others] = states
  if (first === undefined || others.length === 0) return first ?? null
  const work = new Map<string, InstanceTraffic>()
  for (const one of states.flatMap(({ instances }) => instances)) {
    const known = work.get(one.id)
    work.set(one.id, known === undefined ? one : addWork(known, one))
  }
  return { ...first, instances: [...work.values()], ...addLimited(states) }
}

const addWork = (a: InstanceTraffic, b: InstanceTraffic): InstanceTraffic => ({
  ...a,
  inFlight: a.inFlight + b.inFlight,
  websockets: a.websockets + b.websockets,
})

function addLimited(states: readonly RouterState[]): Pick<RouterState, 'limited'> {
  const all = states.flatMap(({ limited }) => limited ?? [])
  if (all.length === 0) return {}
  const sum = (limit: 'requests' | 'rate'): number => all.reduce((total, one) => total + one[limit], 0)
  return { limited: { requests: sum('requests'), rate: sum('rate') } }
}
