import { addPairs, addTraffic } from '../../core/shared/add-counts.ts'
import type {
  ApartCounts,
  ReleaseCounts,
  ServiceCounts,
  ShadowCounts,
  VariantCounts,
} from '../../core/shared/traffic-counts.ts'

/** As many as one process counts for itself; the rest is under `other`. */
const ROUTE_CLASSES = 64
const OTHER = 'other'

/**
 * What two processes counted of one service, as if one had counted it all. Every number of the sum only grows while those
 * of the two do, so whoever takes differences notices nothing.
 */
export function addCounts(own: ServiceCounts, before: ServiceCounts): ServiceCounts {
  const closed = (own.closed ?? 0) + (before.closed ?? 0)
  const missing = (own.missing ?? 0) + (before.missing ?? 0)
  const apart = addApart(own.apart ?? [], before.apart ?? [])
  const shadow = addShadow(own.shadow, before.shadow)
  const { variants } = own
  return {
    service: own.service,
    boot: own.boot,
    releases: addReleases(own.releases, before.releases),
    ...(apart.length === 0 ? {} : { apart }),
    ...(variants === undefined ? {} : { variants: addVariants(variants, before.variants ?? []) }),
    ...(shadow === undefined ? {} : { shadow }),
    unroutable: own.unroutable + before.unroutable,
    ...(closed === 0 ? {} : { closed }),
    refused: own.refused + before.refused,
    ...(missing === 0 ? {} : { missing }),
  }
}

/** Releases in use, and of the others so many that a process after process does not pile them up. */
export function keepCounted(counts: ServiceCounts, inUse: ReadonlySet<string>, most: number): ServiceCounts {
  const spare = counts.releases.length - most
  if (spare <= 0) return counts
  const leaving = new Set(counts.releases.filter(({ release }) => !inUse.has(release)).slice(0, spare))
  return { ...counts, releases: counts.releases.filter((release) => !leaving.has(release)) }
}

/** Those of before come first: they are older, and the oldest are forgotten first. */
function addReleases(own: readonly ReleaseCounts[], before: readonly ReleaseCounts[]): ReleaseCounts[] {
  const merged = before.map((old) => {
    const now = own.find(({ release }) => release === old.release)
    if (now === undefined) return old
    const { release } = old
    return { release, total: addTraffic(now.total, old.total), routes: addRoutes(now.routes, old.routes) }
  })
  return [...merged, ...own.filter(({ release }) => !before.some((old) => old.release === release))]
}

type Routes = ReleaseCounts['routes']

/** Classes of before keep their names, so that a class never loses what it had to `other`. */
function addRoutes(own: Routes, before: Routes): Routes {
  const merged = new Map(Object.entries(before))
  for (const [name, counts] of Object.entries(own)) {
    const key = merged.has(name) || merged.size < ROUTE_CLASSES ? name : OTHER
    const known = merged.get(key)
    merged.set(key, known === undefined ? counts : addTraffic(counts, known))
  }
  return Object.fromEntries(merged)
}

function addApart(own: readonly ApartCounts[], before: readonly ApartCounts[]): ApartCounts[] {
  const same = (a: ApartCounts, b: ApartCounts) => a.by === b.by && a.release === b.release
  return [
    ...own.map((now) => {
      const old = before.find((one) => same(one, now))
      return old === undefined ? now : { ...now, total: addTraffic(now.total, old.total) }
    }),
    ...before.filter((old) => !own.some((now) => same(now, old))),
  ]
}

/** Of the test that is on; what an earlier one counted is over. */
const addVariants = (own: readonly VariantCounts[], before: readonly VariantCounts[]): VariantCounts[] =>
  own.map((now) => {
    const old = before.find(({ salt, variant }) => salt === now.salt && variant === now.variant)
    return old === undefined ? now : { ...now, users: now.users + old.users, goals: now.goals + old.goals }
  })

/** Of the copying that is on, or was on last. */
function addShadow(own?: ShadowCounts, before?: ShadowCounts): ShadowCounts | undefined {
  if (own === undefined || before === undefined) return own ?? before
  if (own.salt !== before.salt || own.release !== before.release) return own
  return {
    salt: own.salt,
    release: own.release,
    ...addPairs(own, before),
    candidate: addTraffic(own.candidate, before.candidate),
    stable: addTraffic(own.stable, before.stable),
  }
}
