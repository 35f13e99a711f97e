import * as z from 'zod'
import { burnLimitOf } from '../core/analysis/burn-rate.ts'
import type { ServiceLevel } from '../core/release/analysis-settings.ts'
import { type Complaint, complain } from './complaint.ts'
import { DEFAULT_SLO_WINDOW } from './defaults.ts'
import { duration, latencyLimit, percent } from './scalars.ts'
import { percentText, readDuration } from './units.ts'

const DAY_MS = 86_400_000
/** Under a week a day's trouble is the whole budget; over a quarter nobody remembers what was promised. */
export const SLO_WINDOW = { minMs: 7 * DAY_MS, maxMs: 92 * DAY_MS }
const MAX_PATH_LENGTH = 4096

const SloFile = z.string().superRefine((path, context) => {
  const isPath = path !== '' && path.length <= MAX_PATH_LENGTH && !/[\0\n]/.test(path)
  if (!isPath || path.startsWith('~') || /^[a-z][a-z0-9+.-]+:\/\//i.test(path))
    complain(context, {
      code: 'CONFIG_BAD_PATH',
      message: 'is no path of an OpenSLO file',
      remedy:
        'Write the path of a file on this machine, for example ./slo.yaml, or state the objective here.',
    })
})

const Objective = z
  .strictObject({
    target: percent({ min: 1, max: 99.9999 }).describe(
      'So many percent of the requests are to be good ones, for example `99.9%`.',
    ),
    window: duration(SLO_WINDOW)
      .meta({ default: DEFAULT_SLO_WINDOW })
      .describe('Over so long, between 7 and 92 days. The rates that are judged follow from it.')
      .optional(),
    slowerThan: latencyLimit()
      .describe('Requests slower than this are the bad ones. Without it those that fail are.')
      .optional(),
  })
  .superRefine(({ target, window }, context) => {
    const complaint = unreachable({ targetPercent: target, windowMs: window ?? defaultWindowMs() })
    if (complaint !== null) complain(context, complaint, ['target'])
  })

export const SloSection = z.union([z.literal('off'), SloFile, Objective])
export type SloSection = z.output<typeof SloSection>

/** A budget so large that no share of bad requests burns it fast enough to be noticed. */
export function unreachable(level: Pick<ServiceLevel, 'targetPercent' | 'windowMs'>): Complaint | null {
  const { factor, limitShare } = burnLimitOf({ ...level, slowerThanMs: null }, 'critical')
  if (limitShare < 1) return null
  return {
    code: 'CONFIG_CONFLICT',
    message: `is ${percentText(level.targetPercent)}: its budget would burn ${Number(factor.toPrecision(3))} times as fast as allowed only if ${percentText(Math.round(limitShare * 100))} of the requests were bad`,
    remedy: 'Write a higher target or a shorter window, or use analysis.critical.errorRate instead.',
  }
}

/** The objective as the engine knows it. */
export const levelOf = ({ target, window, slowerThan }: z.output<typeof Objective>): ServiceLevel => ({
  targetPercent: target,
  windowMs: window ?? defaultWindowMs(),
  slowerThanMs: slowerThan ?? null,
})

function defaultWindowMs(): number {
  const reading = readDuration(DEFAULT_SLO_WINDOW)
  if (reading.kind === 'refused') throw new Error('the default window is no duration')
  return reading.value
}
