import * as z from 'zod'
import { DEFAULTS } from './defaults.ts'
import { duration } from './scalars.ts'

const MINUTE_MS = 60_000
const YEAR_MS = 365 * 24 * 60 * MINUTE_MS
const PLAIN_NUMBER = { title: 'whole number' }
const defaults = DEFAULTS.rollback

const BreakerSection = z.union([
  z.literal('off'),
  z.strictObject({
    count: z
      .int()
      .min(1)
      .max(20)
      .meta({ ...PLAIN_NUMBER, default: defaults.breaker.count })
      .describe('How many automatic rollbacks open it.')
      .optional(),
    within: duration({ minMs: MINUTE_MS, maxMs: YEAR_MS })
      .meta({ default: defaults.breaker.within })
      .describe('Within this time.')
      .optional(),
  }),
])

/** What follows when a candidate fails, and which way back is the fast one. */
export const RollbackSection = z.strictObject({
  window: z
    .int()
    .min(0)
    .max(10)
    .meta({ ...PLAIN_NUMBER, default: defaults.window })
    .describe(
      'Going back this many stable releases or fewer takes no stages. Further back takes all steps, because data, settings and other services have moved on since.',
    )
    .optional(),
  onFailure: z
    .enum(['rollback', 'hold'])
    .meta({ title: 'rollback or hold', default: defaults.onFailure })
    .describe(
      'A candidate that fails goes back, or keeps its share until a person decides (`hold`). Users meet the bad candidate as long as it is held.',
    )
    .optional(),
  breaker: BreakerSection.describe(
    'Stops further deploys after several automatic rollbacks, until `sluice breaker close`. `off` switches it off.',
  ).optional(),
})
