import { complain, type Reading, read, refused, scalar, shown } from './complaint.ts'
import { DEFAULT_ROLLING } from './defaults.ts'
import { duration, durationOr } from './scalars.ts'
import { readPercent } from './units.ts'

/** A number of instances, or a part of `run.replicas`. */
export type CountOrPercent = { kind: 'count'; count: number } | { kind: 'percent'; percent: number }

const MOST = 1000

function readCount(input: unknown): Reading<CountOrPercent> {
  if (typeof input === 'string') {
    const reading = readPercent(input)
    return reading.kind === 'ok' ? read({ kind: 'percent', percent: reading.value }) : reading
  }
  if (typeof input === 'number' && Number.isInteger(input) && input >= 0 && input <= MOST)
    return read({ kind: 'count', count: input })
  return refused(
    'CONFIG_WRONG_TYPE',
    `is ${shown(input)}, which is no number of instances`,
    `Write a whole number from 0 to ${MOST}, or a part of the replicas such as 25%.`,
  )
}

const countOrPercent = () => scalar(readCount, { title: 'number or percentage', type: ['integer', 'string'] })

/** What the batches of `rolling` are like. */
export const BATCH_KEYS = {
  surge: countOrPercent()
    .meta({ default: DEFAULT_ROLLING.surge })
    .describe(
      'So many instances more than `run.replicas` may run at a time. A number, or a part of the replicas, rounded up.',
    )
    .optional(),
  unavailable: countOrPercent()
    .meta({ default: DEFAULT_ROLLING.unavailable })
    .describe(
      'So many of `run.replicas` may be missing at a time. A number, or a part of the replicas, rounded down. 0: as many serve as before, at every moment.',
    )
    .optional(),
  minHealthy: countOrPercent()
    .describe(
      'Never fewer instances than this serve because of the rollout, whatever `unavailable` allows. A number, or a part of the replicas, rounded up.',
    )
    .optional(),
  pause: durationOr('manual')
    .meta({ default: DEFAULT_ROLLING.pause })
    .describe(
      'Each batch but the last is watched at least this long before the next. `manual` waits for `sluice promote`; `0s` asks only that the instances are ready.',
    )
    .optional(),
  atMost: duration({ minMs: 1 })
    .describe(
      'A batch that its criteria have not let go on after so long pauses, for a person to look. Without it the rollout waits.',
    )
    .optional(),
}

type Pauses = { pause?: number | null | undefined; atMost?: number | undefined }

export function pauseFits({ pause, atMost }: Pauses, context: Parameters<typeof complain>[0]): void {
  if (atMost === undefined || pause === undefined || pause === null || atMost >= pause) return
  complain(
    context,
    {
      code: 'CONFIG_CONFLICT',
      message: 'is shorter than the pause of the batch, so that it could never go on by itself',
      remedy: 'Write a time well above pause: what is left is for the criteria to be met.',
    },
    ['atMost'],
  )
}
