import * as z from 'zod'
import { type Problem, problem } from '../../shared/problem.ts'
import { failed, ok, type Result } from '../../shared/result.ts'
import { describeIssue } from './issue.ts'
import { MOST_POINTS } from './mann-whitney.ts'

/** `null` and "NaN" are points without a value. */
const Point = z.union([z.number(), z.null(), z.literal('NaN')], {
  error: 'expected a number, null or "NaN"',
})
const Points = z
  .array(Point)
  .max(MOST_POINTS)
  .transform((points) => points.map((point) => (typeof point === 'number' ? point : Number.NaN)))

const Sides = z.object({ control: Points, experiment: Points })

/** Kayenta's metric set pair: the points under `values`. */
const Pair = z.object({ name: z.string().min(1), values: Sides })
const FlatPair = z.object({ name: z.string().min(1), control: Points, experiment: Points })

const ByName = z.record(z.string().min(1), Sides)

export type MetricPair = { name: string; control: number[]; experiment: number[] }

/**
 * Reads the points of both sides. Three shapes are known: Kayenta's list of metric set pairs
 * (`[{ name, values: { control, experiment } }]`), the same list with the points beside the name, and an object with
 * the metrics' names as keys. A list or object may stand under `metrics`.
 *
 * @example { "errors": { "control": [1, 2, null], "experiment": [1, "NaN", 3] } }
 */
export function readData(input: unknown): Result<readonly MetricPair[]> {
  const inner = unwrapped(input)
  const pairs = Array.isArray(inner) ? readList(inner) : readByName(inner)
  if (pairs.kind === 'failed') return pairs
  return pairs.value.length === 0 ? failed(invalid('it holds no metric.')) : pairs
}

function unwrapped(input: unknown): unknown {
  const wrapper = z.strictObject({ metrics: z.unknown() }).safeParse(input)
  return wrapper.success && wrapper.data.metrics !== undefined ? wrapper.data.metrics : input
}

function readList(list: readonly unknown[]): Result<MetricPair[]> {
  const pairs: MetricPair[] = []
  for (const [index, entry] of list.entries()) {
    const isFlat = typeof entry === 'object' && entry !== null && !('values' in entry)
    const parsed = isFlat ? FlatPair.safeParse(entry) : Pair.safeParse(entry)
    if (!parsed.success)
      return failed(invalid(`entry ${index + 1} of the list: ${describeIssue(parsed.error, entry)}`))
    const { name } = parsed.data
    const { control, experiment } = 'values' in parsed.data ? parsed.data.values : parsed.data
    pairs.push({ name, control, experiment })
  }
  return ok(pairs)
}

function readByName(input: unknown): Result<MetricPair[]> {
  const parsed = ByName.safeParse(input)
  if (!parsed.success) return failed(invalid(describeIssue(parsed.error, input)))
  return ok(Object.entries(parsed.data).map(([name, sides]) => ({ name, ...sides })))
}

const invalid = (message: string): Problem =>
  problem('KAYENTA_DATA_INVALID', {
    message: `The metric data cannot be used: ${message}`,
    remedy: `Give each metric "control" and "experiment": lists of at most ${MOST_POINTS} points, null or "NaN" where there is no value.`,
  })
