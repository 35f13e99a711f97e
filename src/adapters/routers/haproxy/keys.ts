import { slotOf } from './names.ts'
import type { Placed } from './own.ts'

/**
 * Where requests go is one map per service, from a number to a word, and HAProxy swaps a map as a whole: all of it changes
 * with one and the same request. `0:949` are the weights: each request draws a number under 1,000. Beyond stand single
 * numbers.
 */
export const KEYS = {
  /** Which change this is. */
  token: 2_000,
  preview: 3_000,
  /** Seconds after which clients may come back. Where it stands, nobody is served. */
  closed: 4_000,
  /** `RELEASE + n`: the id of the release in slot n, in base64. */
  release: 5_000,
  /** Where it stands, users are told apart: what their ids are hashed with. */
  salt: 6_000,
  /** Seconds for which their cookies live. */
  lifeS: 6_001,
  /** Who takes no part in a test. */
  others: 6_002,
  /** Where it stands, cookies that still come are taken back. */
  expire: 6_003,
  /** `RULE + n`: where the n-th rule sends. */
  rule: 10_000,
  /** `ARM + 0:99`: the variant of users whose point is under 100. */
  arm: 20_000,
} as const

export type MapEntry = { key: string; value: string }

export const slotIn =
  ({ routes, place }: Placed) =>
  (release: string): string =>
    slotOf(routes.service, place.slots.indexOf(release))
