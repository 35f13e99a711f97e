import * as z from 'zod'
import { APPLICATIONS, RISK_LEVELS } from '../core/release/risk-settings.ts'
import { Name } from '../core/release/settings.ts'
import { type Reading, read, refused, scalar, shown } from './complaint.ts'
import { duration } from './scalars.ts'

const DAY_MS = 86_400_000
/** More people than there are. */
const MOST_USERS = 10_000_000_000
const MAX_DEPENDENTS = 200
const MAX_NAME = 100

const nameOfState = () => scalar(readState, { title: 'text', type: ['string', 'number'] })

/** `1.10` in YAML is the number 1.1: a number with a point is refused, so that no name changes unnoticed. */
function readState(input: unknown): Reading<string> {
  const isWhole = typeof input === 'number' && Number.isSafeInteger(input)
  if (isWhole || (typeof input === 'string' && input.trim() !== '' && input.length <= MAX_NAME))
    return read(String(input))
  return refused(
    'CONFIG_WRONG_TYPE',
    `is ${shown(input)}, but must be a short text or a whole number`,
    'Write a name in quotes, for example "2026-11-22" or "8.1".',
  )
}

/** What is declared about a service, for the risk of its plans and the strategy that fits. Changes nothing that runs. */
export const RiskSection = z.strictObject({
  application: z
    .enum(APPLICATIONS)
    .meta({ title: 'kind of application', default: 'unknown' })
    .describe('What kind of application it is: a strategy is recommended by it.')
    .optional(),
  downtime: duration({ maxMs: DAY_MS })
    .describe(
      'How long the service may be away while it is released. Without it: `5m` for an internal application, `30m` for batch, `0s` for any other.',
    )
    .optional(),
  users: z
    .int()
    .min(0)
    .max(MOST_USERS)
    .meta({ title: 'whole number' })
    .describe('How many people use it.')
    .optional(),
  dependents: z
    .array(Name)
    .max(MAX_DEPENDENTS)
    .meta({ title: 'list of names' })
    .describe('Services that need this one. `[]` says that there are none.')
    .optional(),
  criticality: z
    .enum(RISK_LEVELS)
    .meta({ title: 'low, medium, high or critical' })
    .describe('The least that its blast radius counts, whatever is known of its users.')
    .optional(),
  api: nameOfState()
    .describe(
      'Name of the interface that others use. Where it differs from that of the stable release, the release breaks the interface.',
    )
    .optional(),
  schema: nameOfState()
    .describe(
      'Name of the state of the database. Where it differs from that of the stable release, the release changes the schema.',
    )
    .optional(),
  framework: nameOfState()
    .describe('Name of what it is built on, with the version that matters. Compared in the same way.')
    .optional(),
})
