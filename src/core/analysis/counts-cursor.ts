import * as z from 'zod'
import { LATENCY_BUCKETS } from '../shared/histogram.ts'
import { PairCounts, type ServiceCounts, type TrafficCounts } from '../shared/traffic-counts.ts'
import { WeightPermille } from '../shared/weight.ts'
import type { Batch, CrashCounts, SideCounts } from './batch.ts'
import { addBatches, noRequests, SideCounts as SideCountsSchema } from './batch.ts'

/** Where the last look left the monotonic counters of one data plane. */
const PlaneCursor = z.object({
  boot: z.string(),
  releases: z.record(z.string(), SideCountsSchema.extend({ cutOnDrain: z.int().nonnegative() })),
  unroutable: z.int().nonnegative(),
  closed: z.int().nonnegative().exactOptional(),
  /** Of requests that were copied; absent where none ever were. */
  shadow: PairCounts.extend({
    salt: z.string(),
    candidate: SideCountsSchema,
    stable: SideCountsSchema,
  }).exactOptional(),
})
type PlaneCursor = z.infer<typeof PlaneCursor>

/** Where the last look left the counters, so that the next look can take the difference. */
export const CountsCursor = PlaneCursor.extend({
  at: z.number(),
  /** Of the other routers that serve, each known again by its `boot`. */
  also: z.array(PlaneCursor).exactOptional(),
  /** Shares that the router had confirmed and that were in force at this look, and since when; absent while they changed. */
  weights: z.object({ since: z.number(), of: z.record(z.string(), WeightPermille) }).exactOptional(),
  /** Crashes of all instances of each release until now, and how many of them are wanted. */
  instances: z
    .record(z.string(), z.object({ crashes: z.int().nonnegative(), wanted: z.int().nonnegative() }))
    .exactOptional(),
})
export type CountsCursor = z.infer<typeof CountsCursor>

/** What is seen beside the counters at the same look. */
export type SeenBeside = Pick<CountsCursor, 'weights' | 'instances'>

export function cursorOf(counts: ServiceCounts, at: number, beside: SeenBeside = {}): CountsCursor {
  const also = counts.also === undefined ? {} : { also: counts.also.map(planeCursorOf) }
  return { ...planeCursorOf(counts), at, ...also, ...beside }
}

function planeCursorOf(counts: ServiceCounts): PlaneCursor {
  const releases = counts.releases.map(({ release, total }) => [
    release,
    { ...sideOf(total), cutOnDrain: total.cutOnDrain },
  ])
  const { boot, unroutable, closed } = counts
  const said = { unroutable, ...(closed === undefined ? {} : { closed }) }
  return { boot, releases: Object.fromEntries(releases), ...said, ...shadowOf(counts) }
}

const sideOf = ({ requests, errors, latencyBuckets, bytesIn, bytesOut }: TrafficCounts): SideCounts => ({
  requests,
  errors,
  latencyBuckets: fitted(latencyBuckets),
  bytes: { in: bytesIn, out: bytesOut },
})

function shadowOf({ shadow }: ServiceCounts): Pick<CountsCursor, 'shadow'> {
  if (shadow === undefined) return {}
  const { release: _, candidate, stable, ...rest } = shadow
  return { shadow: { ...rest, candidate: sideOf(candidate), stable: sideOf(stable) } }
}

/** What a batch compares. With a `shadow` (the salt of its counts) both sides are those of the requests that were copied. */
export type BatchSides = { candidate: string; stable: string | null; shadow?: string | null }

/** The difference between two looks, all data planes together. */
export function batchBetween(last: CountsCursor, next: CountsCursor, sides: BatchSides): Batch {
  const planes = [last, ...(last.also ?? [])]
  const counted = [next, ...(next.also ?? [])].map((plane) =>
    planeBatch(planes, plane, { last, next, sides }),
  )
  return counted.reduce(addBatches)
}

type Between = { last: CountsCursor; next: CountsCursor; sides: BatchSides }

/** What one data plane counted. A new boot counted from zero, so all it counted is new. */
function planeBatch(
  planes: readonly PlaneCursor[],
  plane: PlaneCursor,
  { last, next, sides }: Between,
): Batch {
  const known = planes.find(({ boot }) => boot === plane.boot)
  const before: Pick<PlaneCursor, 'releases' | 'unroutable' | 'closed'> = known ?? {
    releases: {},
    unroutable: 0,
  }
  const side = (release: string | null): SideCounts =>
    release === null ? noRequests() : difference(plane.releases[release], before.releases[release])
  // Release by release: one that the data plane forgot must not hide what the others did.
  const grown = (pick: (counts: PlaneCursor['releases'][string]) => number): number =>
    Object.entries(plane.releases).reduce((sum, [release, counts]) => {
      const last = before.releases[release]
      return (
        sum +
        (last === undefined || isRestarted(counts, last)
          ? pick(counts)
          : Math.max(0, pick(counts) - pick(last)))
      )
    }, 0)
  const closed = Math.max(0, (plane.closed ?? 0) - (before.closed ?? 0))
  return {
    at: next.at,
    sinceAt: last.at,
    candidate: side(sides.candidate),
    stable: side(sides.stable),
    requests: grown((counts) => counts.requests),
    unroutable: Math.max(0, plane.unroutable - before.unroutable),
    cutOnDrain: grown((counts) => counts.cutOnDrain),
    ...(closed === 0 ? {} : { closed }),
    ...steadyWeight(last, next, sides.candidate),
    ...crashesBetween(last, next, sides),
    ...pairsBetween(known, plane, sides.shadow ?? null),
  }
}

/** Instead of what users sent to either release. */
function pairsBetween(
  last: PlaneCursor | undefined,
  next: PlaneCursor,
  salt: string | null,
): Pick<Batch, 'candidate' | 'stable' | 'shadow'> | Record<never, never> {
  if (salt === null) return {}
  const after = next.shadow?.salt === salt ? next.shadow : undefined
  const before = last?.shadow?.salt === salt ? last.shadow : undefined
  const grown = (name: keyof PairCounts): number => Math.max(0, (after?.[name] ?? 0) - (before?.[name] ?? 0))
  return {
    candidate: difference(after?.candidate, before?.candidate),
    stable: difference(after?.stable, before?.stable),
    shadow: {
      answered: grown('answered'),
      statusDiffers: grown('statusDiffers'),
      bodyDiffers: grown('bodyDiffers'),
      bodyUnknown: grown('bodyUnknown'),
      busy: grown('busy'),
      large: grown('large'),
      unfinished: grown('unfinished'),
    },
  }
}

/** A batch in which the share was changed holds requests at two of them. */
function steadyWeight(
  last: CountsCursor,
  next: CountsCursor,
  candidate: string,
): Pick<Batch, 'weightPermille'> {
  const weight = next.weights?.of[candidate]
  if (weight === undefined || last.weights?.since !== next.weights?.since) return {}
  return last.weights?.of[candidate] === weight ? { weightPermille: weight } : {}
}

const HOUR_MS = 3_600_000

function crashesBetween(
  last: CountsCursor,
  next: CountsCursor,
  { candidate, stable }: { candidate: string; stable: string | null },
): Pick<Batch, 'crashes'> {
  const hours = Math.max(0, next.at - last.at) / HOUR_MS
  const crashed = (release: string | null): CrashCounts | null => {
    const [before, after] = [last, next].map(({ instances }) =>
      release === null ? undefined : instances?.[release],
    )
    if (before === undefined || after === undefined) return null
    // Instances that are gone take their crashes along.
    return { events: Math.max(0, after.crashes - before.crashes), exposure: hours * before.wanted }
  }
  const [ours, theirs] = [crashed(candidate), crashed(stable)]
  return ours === null || theirs === null ? {} : { crashes: { candidate: ours, stable: theirs } }
}

/** Counters only grow; fewer requests than before means that they were forgotten and began anew. */
const isRestarted = (next: SideCounts, last: SideCounts): boolean => next.requests < last.requests

function difference(next: SideCounts | undefined, last: SideCounts | undefined): SideCounts {
  if (next === undefined) return noRequests()
  if (last === undefined || isRestarted(next, last))
    return {
      requests: next.requests,
      errors: next.errors,
      latencyBuckets: next.latencyBuckets,
      ...(next.bytes === undefined ? {} : { bytes: next.bytes }),
    }
  return {
    requests: Math.max(0, next.requests - last.requests),
    errors: Math.max(0, next.errors - last.errors),
    latencyBuckets: next.latencyBuckets.map((count, index) =>
      Math.max(0, count - (last.latencyBuckets[index] ?? 0)),
    ),
    ...bytesBetween(last, next),
  }
}

/** Nothing where they were not counted at one of the looks. */
const bytesBetween = ({ bytes: last }: SideCounts, { bytes: next }: SideCounts): Pick<SideCounts, 'bytes'> =>
  last === undefined || next === undefined
    ? {}
    : { bytes: { in: Math.max(0, next.in - last.in), out: Math.max(0, next.out - last.out) } }

const fitted = (buckets: readonly number[]): number[] =>
  Array.from({ length: LATENCY_BUCKETS }, (_, index) => buckets[index] ?? 0)
