import * as z from 'zod'

/** How a rollout ends: exactly one of these. */
export const Outcome = z.enum(['promoted', 'rolled_back', 'aborted', 'superseded', 'failed'])
export type Outcome = z.infer<typeof Outcome>

/** One table for every command. */
export const EXIT_CODE = {
  promoted: 0,
  rolled_back: 10,
  aborted: 11,
  waiting: 12,
  refused: 13,
  noData: 14,
  superseded: 15,
  failed: 16,
  unreachable: 20,
  usage: 2,
  internal: 1,
  planHasChanges: 3,
} as const
