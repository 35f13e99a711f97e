import * as z from 'zod'

const Count = z.int().nonnegative()

/**
 * What the data plane counted for one release (or one route class of it) since it started: monotonic counters.
 * `errors` are 5xx answers plus requests ended by a connect failure, reset or time-out of the instance.
 */
export const TrafficCounts = z.object({
  requests: Count,
  errors: Count,
  /** Answers by class of status: 1xx (final only, so 101), 2xx, 3xx, 4xx, 5xx. */
  status: z.object({ '1xx': Count, '2xx': Count, '3xx': Count, '4xx': Count, '5xx': Count }),
  /** Connections to the instance refused or not established in time. */
  connectFailures: Count,
  /** Requests that died because the instance reset or closed the connection before a complete answer. */
  resets: Count,
  timeouts: Count,
  /** Requests whose client went away first: neither success nor error. */
  clientAborts: Count,
  /** Requests and connections that we cut because a drain limit ran out. */
  cutOnDrain: Count,
  /** Requests sent again to another connection or instance without the client noticing. */
  retries: Count,
  /** Bodies of requests and of answers, as the data plane passed them on; 0 where it does not count them. */
  bytesIn: Count.default(0),
  bytesOut: Count.default(0),
  /** Requests per latency bucket (`histogram.ts`), time to the complete answer; upgrades are not in here. */
  latencyBuckets: z.array(Count),
})
export type TrafficCounts = z.infer<typeof TrafficCounts>

/** Counters of one release; `routes` splits them by class, `METHOD /first-segment`, bounded, the rest under `other`. */
export const ReleaseCounts = z.object({
  release: z.string(),
  total: TrafficCounts,
  routes: z.record(z.string(), TrafficCounts),
})
export type ReleaseCounts = z.infer<typeof ReleaseCounts>

/** Requests to a release that are no live traffic of its own share: of the preview address, or sent there by a rule. */
export const ApartCounts = z.object({
  by: z.enum(['preview', 'rule']),
  release: z.string(),
  total: TrafficCounts,
})
export type ApartCounts = z.infer<typeof ApartCounts>

/** Of one arm of an A/B test; `variant` is `null` for the control. */
export const VariantCounts = z.object({
  /** Which test: that of the routes in force. */
  salt: z.string(),
  variant: z.string().nullable(),
  /** Users who came for the first time; 0 where the service itself says who they are. */
  users: Count,
  /** Users who reached the goal, each once. */
  goals: Count,
})
export type VariantCounts = z.infer<typeof VariantCounts>

/** How copies and what users got compare. */
export const PairCounts = z.object({
  /** Both answered, and neither with an error: only these say whether the answers are the same. */
  answered: Count,
  /** Of these, with another class of status. */
  statusDiffers: Count,
  /** Of these, with the same class of status and another body. */
  bodyDiffers: Count,
  /** Bodies that were not compared although they should have been: too large, or too many at a time. */
  bodyUnknown: Count,
  /** Requests that were due to be copied and were not: as many copies were under way as there may be at a time. */
  busy: Count,
  /** The same: their body is larger than what is kept of one. */
  large: Count,
  /** Copies that say nothing: the client left, the answer has no end, or the copying was over first. */
  unfinished: Count,
})
export type PairCounts = z.infer<typeof PairCounts>

export const NO_PAIRS: PairCounts = {
  answered: 0,
  statusDiffers: 0,
  bodyDiffers: 0,
  bodyUnknown: 0,
  busy: 0,
  large: 0,
  unfinished: 0,
}

/** Of requests that were copied to a release without traffic. Both sides hold the same requests, timed from the same moment. */
export const ShadowCounts = PairCounts.extend({
  /** Which comparison: that of the routes. */
  salt: z.string(),
  release: z.string(),
  /** What the shadow did, counted nowhere else. */
  candidate: TrafficCounts,
  /** What users got for the same requests; they are in the counters of their release, too. */
  stable: TrafficCounts,
})
export type ShadowCounts = z.infer<typeof ShadowCounts>

/** Counters of one service in one data plane. A new `boot` means it was restarted and counts from zero again. */
const PlaneCounts = z.object({
  service: z.string(),
  boot: z.string(),
  releases: z.array(ReleaseCounts),
  /** In none of the other numbers: who is sent somewhere by choice is no fair sample. */
  apart: z.array(ApartCounts).exactOptional(),
  /** Of the A/B test that is on. */
  variants: z.array(VariantCounts).exactOptional(),
  /** Of the copying that is on, or was on last. */
  shadow: ShadowCounts.exactOptional(),
  /** Requests answered by the data plane itself because no instance could take them (502, 503, 504): lost requests. */
  unroutable: Count,
  /** Requests turned away because the service was closed by decision (503): lost, and declared before. */
  closed: Count.exactOptional(),
  /** Requests refused as malformed or over a limit (400, 413, 414, 431...): not lost, the client's fault. */
  refused: Count,
  /** Requests that the data plane says it had and that are in none of these numbers: what told about them was lost. */
  missing: Count.exactOptional(),
})

/** Counters of one service. Where several routers serve it, those of the first one, and in `also` those of the others. */
export const ServiceCounts = PlaneCounts.extend({ also: z.array(PlaneCounts).exactOptional() })
export type ServiceCounts = z.infer<typeof ServiceCounts>
