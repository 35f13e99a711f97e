import type { RouteSet } from '../core/shared/routes.ts'
import { instanceKey } from './instance.ts'

/** What the coldest instance weighs: too little to hurt, enough to begin to warm up, and never nothing. */
const COLDEST = 0.01

/**
 * Weight of an instance among those of its release, `activeMs` after it joined them: grows evenly up to 1, which is the
 * weight of a full one.
 * @example `warmth(5_000, 20_000)` is 0.25
 */
export function warmth(activeMs: number, slowStartMs: number): number {
  return activeMs >= slowStartMs ? 1 : Math.max(COLDEST, activeMs / slowStartMs)
}

/**
 * Keys of the instances that start slowly with this change: those that begin to carry traffic in a set in which another
 * one carried traffic before and still does. Where all are new (a first start, a set that had no weight, a restart of
 * the data plane) nobody could take the rest, so all are full at once.
 */
export function newcomers(before: readonly RouteSet[], after: readonly RouteSet[]): Set<string> {
  const known = new Set(before.flatMap(carrying))
  return new Set(
    after.map(carrying).flatMap((keys) => {
      const joins = keys.some((key) => known.has(key))
      return joins ? keys.filter((key) => !known.has(key)) : []
    }),
  )
}

/** Keys of the instances of a set that get requests. */
export const carrying = ({ release, weightPermille, instances }: RouteSet): string[] =>
  weightPermille === 0
    ? []
    : instances.filter(({ state }) => state === 'active').map((entry) => instanceKey(release, entry))
