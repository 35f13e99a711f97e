import * as z from 'zod'
import { CutRequest } from '../../core/shared/router-state.ts'
import { DrainLimits, RouteInstance, type RouteSet, type ServiceRoutes } from '../../core/shared/routes.ts'

/** The drain of one instance, as it must still be known by the next controller. */
export const KeptDrain = z.object({
  release: z.string(),
  instance: RouteInstance.omit({ state: true }),
  limits: DrainLimits,
  /** When it began, in milliseconds since 1970. */
  since: z.number(),
  /** How long it took until nothing was left; `null` while it lasts. */
  tookMs: z.number().nullable(),
  /** The first 100 of what was cut. */
  cut: z.array(CutRequest),
  cutTotal: z.int(),
})
export type KeptDrain = z.infer<typeof KeptDrain>

/** Finished drains are reported this long, so that a controller that was away can read them. */
const REPORT_MS = 600_000
/** Of one service; the oldest finished ones go first. */
const REPORTS = 200
/** Entries in the cut list of one drain; the rest is only counted. */
const CUT_LIST = 100

type Moved = { before: ServiceRoutes | null; after: ServiceRoutes | null; now: number }

/**
 * The drains of a service once its routes changed: each instance that was known or is, and takes nothing new, drains,
 * from the moment on in which that was decided first. One that takes requests again drains no more.
 */
export function drainsAfter(drains: readonly KeptDrain[], { before, after, now }: Moved): KeptDrain[] {
  const active = new Set(instancesOf(after).flatMap(({ key, isActive }) => (isActive ? [key] : [])))
  const kept = drains.filter((drain) => !active.has(keyOf(drain.release, drain.instance)))
  const known = new Set(kept.map((drain) => keyOf(drain.release, drain.instance)))
  const limits = after?.drain ?? before?.drain ?? { requestsMs: 0, websocketsMs: 0 }
  for (const { key, release, instance } of [...instancesOf(before), ...instancesOf(after)]) {
    if (active.has(key) || known.has(key)) continue
    known.add(key)
    kept.push({ release, instance, limits, since: now, tookMs: null, cut: [], cutTotal: 0 })
  }
  return withoutOld(kept, now)
}

/** Nothing of it is left at the instance. */
export const endedDrain = (drain: KeptDrain, now: number): KeptDrain =>
  drain.tookMs === null ? { ...drain, tookMs: Math.max(0, now - drain.since) } : drain

/** The drain with what was cut just now added to its report. */
export const cutDrain = (drain: KeptDrain, cut: readonly CutRequest[]): KeptDrain => ({
  ...drain,
  cut: [...drain.cut, ...cut].slice(0, CUT_LIST),
  cutTotal: drain.cutTotal + cut.length,
})

/** The report of a drain as the router gives it. */
export const drainReport = ({ since, tookMs, cut, cutTotal }: KeptDrain, now: number) => ({
  done: tookMs !== null,
  sinceMs: Math.max(0, Math.round(tookMs ?? now - since)),
  cut,
  cutTotal,
})

function withoutOld(drains: readonly KeptDrain[], now: number): KeptDrain[] {
  const fresh = drains.filter(({ since, tookMs }) => tookMs === null || since + tookMs > now - REPORT_MS)
  const finished = fresh.filter(({ tookMs }) => tookMs !== null)
  const tooMany = new Set(finished.slice(0, Math.max(0, finished.length - REPORTS)))
  return fresh.filter((drain) => !tooMany.has(drain))
}

function instancesOf(routes: ServiceRoutes | null) {
  const ofSet = ({ release, instances }: RouteSet) =>
    instances.map(({ state, ...instance }) => ({
      key: keyOf(release, instance),
      release,
      instance,
      isActive: state === 'active',
    }))
  return (routes?.sets ?? []).flatMap(ofSet)
}

/** An instance that came back on another port is another one. */
export const keyOf = (release: string, { id, host, port }: Omit<RouteInstance, 'state'>): string =>
  JSON.stringify([release, id, host, port])
