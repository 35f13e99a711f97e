import * as z from 'zod'

/** Tolerances beyond these say that nothing is ever worse. */
const MAX_RATIO = 1000
const MAX_POINTS = 100
const MAX_RATE_POINTS = 1e9
const MAX_DISPERSION = 1e6
const MAX_BOUNDS = 200
const MAX_NAME = 200

const Ratio = z
  .number()
  .min(1)
  .max(MAX_RATIO)
  .default(1)
  .describe('The candidate may have this many times the share of stable.')
const points = (most: number, preset: number) => z.number().min(0).max(most).default(preset)

const toleranceUpTo = (most: number) =>
  z
    .strictObject({
      ratio: Ratio,
      points: points(most, 0.1).describe('And this many percentage points on top.'),
    })
    .prefault({})
    .describe('What is not held against the candidate: `ratio` times the share of stable, plus `points`.')

const noticeUpTo = (most: number) =>
  z
    .strictObject({
      points: points(most, 1).describe('A rise of this many percentage points matters.'),
    })
    .prefault({})
    .describe('The verdict is `not-worse` once a rise this large is ruled out.')

const Direction = z
  .enum(['more-is-worse', 'less-is-worse', 'either'])
  .default('more-is-worse')
  .describe('`either` is two tests, each with half of the false-alarm budget.')

const Grid = z
  .enum(['coarse', 'fine'])
  .default('coarse')
  .describe(
    '`coarse` looks for rises to 1.5 to 100 times, `fine` for 1.1 to 10 times: for what is frequent, such as orders of visits.',
  )

const name = z.string().min(1).max(MAX_NAME)
const dispersion = z
  .number()
  .min(1)
  .max(MAX_DISPERSION)
  .default(1)
  .describe('How much more counts vary than independent requests would; all counts are divided by it.')

/** Bad ones of all: errors of requests, orders of visits. */
export const RatioMetric = z.strictObject({
  name,
  kind: z.literal('ratio'),
  direction: Direction,
  grid: Grid,
  tolerance: toleranceUpTo(MAX_POINTS),
  notice: noticeUpTo(MAX_POINTS),
  dispersion,
})

/** Events of an exposure: crashes of instance hours, log lines of requests. One point is a hundredth of an event for each unit of exposure. */
export const RateMetric = z.strictObject({
  name,
  kind: z.literal('rate'),
  direction: Direction,
  grid: Grid,
  tolerance: toleranceUpTo(MAX_RATE_POINTS),
  notice: noticeUpTo(MAX_RATE_POINTS),
  dispersion,
})

/** Counts of each bucket, such as latencies; more in the higher buckets is worse. */
export const HistogramMetric = z.strictObject({
  name,
  kind: z.literal('histogram'),
  bounds: z
    .array(z.number())
    .min(1)
    .max(MAX_BOUNDS)
    .refine((bounds) => bounds.every((bound, index) => index === 0 || bound > (bounds[index - 1] ?? bound)), {
      message: 'must rise from one to the next',
    })
    .describe('Inclusive upper bounds of the buckets; one more bucket counts what is above the last.'),
  tolerance: toleranceUpTo(MAX_POINTS),
  notice: noticeUpTo(MAX_POINTS),
  dispersion,
})

/** What is compared, and what is tolerated. Fixed before the first batch. */
export const Metric = z.discriminatedUnion('kind', [RatioMetric, HistogramMetric, RateMetric])
export type Metric = z.infer<typeof Metric>
/** As it is written: what has a default may be left out. */
export type MetricInput = z.input<typeof Metric>
