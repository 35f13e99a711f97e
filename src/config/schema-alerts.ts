import * as z from 'zod'
import { complain, shown } from './complaint.ts'
import { DEFAULTS } from './defaults.ts'

const defaults = DEFAULTS.analysis.alerts
/** More conditions than this belong into the route of the sender. */
const MAX_LABELS = 10
const MAX_VALUE_LENGTH = 200
const LABEL_NAME = /^[A-Za-z_][A-Za-z0-9_]{0,99}$/

const action = (of: string) =>
  z.enum(['rollback', 'pause', 'report']).meta({ title: 'rollback, pause or report', default: of })

const Match = z.record(z.string(), z.string()).superRefine((labels, context) => {
  const entries = Object.entries(labels)
  if (entries.length > MAX_LABELS)
    complain(context, {
      code: 'CONFIG_OUT_OF_RANGE',
      message: `has ${entries.length} labels, but must have at most ${MAX_LABELS}`,
      remedy: 'Sort the alerts in the routes of the sender instead.',
    })
  for (const [name, value] of entries) {
    if (LABEL_NAME.test(name) && value.length <= MAX_VALUE_LENGTH) continue
    complain(
      context,
      {
        code: 'CONFIG_BAD_NAME',
        message: `is ${shown(value)} for ${shown(name)}, which is no possible label`,
        remedy: 'Use letters, digits and underscores for the name, and a value of at most 200 characters.',
      },
      [name],
    )
  }
})

export const AlertsSection = z.strictObject({
  critical: action(defaults.critical)
    .describe('What an alert of severity `critical` does to the rollout it is about.')
    .optional(),
  warning: action(defaults.warning)
    .describe('The same for one of severity `warning`. Others are only told.')
    .optional(),
  match: Match.meta({ title: 'labels', default: defaults.match })
    .describe('Labels that an alert must have, with their values; others are ignored.')
    .optional(),
})
