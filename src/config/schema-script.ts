import * as z from 'zod'
import type { Script, ScriptPart, SideScript } from '../core/simulation/script.ts'
import { complain } from './complaint.ts'
import { duration, durationOr, percent } from './scalars.ts'

const DAY_MS = 86_400_000
const MAX_PARTS = 1000
/** More than any machine here answers; a larger number is a slip of the finger. */
const MOST_REQUESTS_PER_SECOND = 1_000_000
const MAX_CRASHES = 1000
const MAX_SEED = 4_294_967_295
const LONGEST_LATENCY_MS = 600_000

const latency = () => duration({ minMs: 1, maxMs: LONGEST_LATENCY_MS })

const SideSection = z
  .strictObject({
    errorRate: percent().describe('Share of its requests that fail. 0% where no part says it.').optional(),
    p50: latency()
      .describe(
        'Half of its requests are faster. 40ms where no part says it; with `p99` alone a fifth of that.',
      )
      .optional(),
    p99: latency()
      .describe(
        '99 of 100 of its requests are faster. 200ms where no part says it; with `p50` alone five times that.',
      )
      .optional(),
    crashes: z
      .int()
      .min(0)
      .max(MAX_CRASHES)
      .meta({ title: 'whole number' })
      .describe('So many of its instances crash when the part begins. They are started again.')
      .optional(),
    start: durationOr('never')
      .describe(
        'From the start of an instance until it is ready. 2s where no part says it; `never` is never ready.',
      )
      .optional(),
  })
  .superRefine(({ p50, p99 }, context) => {
    if (p50 === undefined || p99 === undefined || p50 <= p99) return
    complain(
      context,
      {
        code: 'CONFIG_CONFLICT',
        message: 'is longer than p99, so that more than half of the requests would be among the slowest 1%',
        remedy: 'Write a p50 that is at most p99.',
      },
      ['p50'],
    )
  })

const PartSection = z
  .strictObject({
    from: duration().describe('When it begins, counted from the begin of the rollout.'),
    to: duration().describe('When it ends; without it, never.').optional(),
    requestRate: z
      .number()
      .min(0)
      .max(MOST_REQUESTS_PER_SECOND)
      .meta({ title: 'number' })
      .describe('Requests a second, for both versions together. 100 where no part says it.')
      .optional(),
    stable: SideSection.describe('What the release that is stable does.').optional(),
    candidate: SideSection.describe('What the new release does.').optional(),
    verify: z
      .enum(['passes', 'fails'])
      .meta({ title: 'passes or fails' })
      .describe('How the checks of `verify` come out. They pass where no part says it.')
      .optional(),
  })
  .superRefine(({ from, to }, context) => {
    if (to === undefined || to > from) return
    const remedy = 'Write a later time, or leave it out: then the part has no end.'
    complain(context, { code: 'CONFIG_CONFLICT', message: 'is not after from', remedy }, ['to'])
  })

const ActSection = z.strictObject({
  at: duration().describe('Counted from the begin of the rollout.'),
  act: z
    .enum(['promote', 'pause', 'resume', 'abort'])
    .meta({ title: 'promote, pause, resume or abort' })
    .describe('What the person orders then.'),
})

/** The file that `sluice simulate` takes. */
export const ScriptFile = z.strictObject({
  seed: z
    .int()
    .min(0)
    .max(MAX_SEED)
    .meta({ title: 'whole number', default: 1 })
    .describe('The same seed gives the same course.')
    .optional(),
  metrics: z
    .array(PartSection)
    .max(MAX_PARTS)
    .meta({ title: 'list' })
    .describe(
      'What holds from when to when. Where parts overlap, the later one in the list counts for what it says.',
    ),
  people: z
    .array(ActSection)
    .max(MAX_PARTS)
    .meta({ title: 'list', default: [] })
    .describe('What people order on the way.')
    .optional(),
})
export type ScriptFile = z.output<typeof ScriptFile>

/** Far longer than any plan: a part without an end is to the end all the same. */
export const LONGEST_SIMULATION_MS = 30 * DAY_MS

export const scriptOf = ({ seed = 1, metrics, people = [] }: ScriptFile): Script => ({
  seed,
  parts: metrics.map(partOf),
  people: people.map(({ at, act }) => ({ atMs: at, act })),
})

const partOf = (part: ScriptFile['metrics'][number]): ScriptPart => ({
  fromMs: part.from,
  toMs: part.to ?? null,
  stable: sideOf(part.stable),
  candidate: sideOf(part.candidate),
  ...(part.requestRate === undefined ? {} : { requestsPerSecond: part.requestRate }),
  ...(part.verify === undefined ? {} : { verify: part.verify }),
})

const sideOf = (side: ScriptFile['metrics'][number]['stable'] = {}): SideScript => ({
  ...(side.errorRate === undefined ? {} : { errorRatePercent: side.errorRate }),
  ...(side.p50 === undefined ? {} : { p50Ms: side.p50 }),
  ...(side.p99 === undefined ? {} : { p99Ms: side.p99 }),
  ...(side.crashes === undefined ? {} : { crashes: side.crashes }),
  ...(side.start === undefined ? {} : { startMs: side.start }),
})
