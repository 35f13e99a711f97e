import type { MetricMeasure } from './metric-definition.ts'

/** What one version did in one window. Counts may be fractional: Prometheus extrapolates. */
export type MetricSample =
  | { kind: 'ratio'; bad: number; total: number }
  | { kind: 'rate'; events: number; exposure: number }
  /** `counts[i]` is how many were at most `bounds[i]` and above the bound before; the last one is above all bounds. */
  | { kind: 'histogram'; bounds: number[]; counts: number[] }
  | { kind: 'value'; value: number }

/** What numbers of a source amount to. `impossible` is neither zero nor nothing: a number that cannot be a count. */
export type Counted =
  | { kind: 'sample'; sample: MetricSample }
  | { kind: 'no-data'; reason: string }
  | { kind: 'impossible'; what: string }

/** A number as the source gave it; `null` where it had nothing. */
export type Amount = number | null

/** One row of a histogram: the upper bound of a bucket (infinite for the open one) and a count. */
export type BucketRow = { le: Amount; count: Amount }

/** Numbers that come out of a floating-point sum may be off by this share. */
const ROUNDING = 1e-6

/** The sample that these numbers make, for all kinds but histograms. */
export function countedFrom(
  kind: Exclude<MetricMeasure['kind'], 'histogram'>,
  parts: Readonly<Record<string, Amount | undefined>>,
): Counted {
  switch (kind) {
    case 'ratio':
      return pair(parts, ['bad', 'total'], (bad, total) => {
        if (bad > total * (1 + ROUNDING) + ROUNDING)
          return impossible(`bad is ${bad}, more than total, ${total}`)
        return { kind: 'sample', sample: { kind: 'ratio', bad: Math.min(bad, total), total } }
      })
    case 'rate':
      return pair(parts, ['events', 'exposure'], (events, exposure) =>
        exposure === 0 && events > 0
          ? impossible(`there are ${events} events without any exposure`)
          : { kind: 'sample', sample: { kind: 'rate', events, exposure } },
      )
    case 'value': {
      const value = parts.value ?? null
      if (value === null) return nothing(['value'])
      if (!Number.isFinite(value)) return impossible(`value is ${value}`)
      return { kind: 'sample', sample: { kind: 'value', value } }
    }
  }
}

function pair(
  parts: Readonly<Record<string, Amount | undefined>>,
  names: readonly [string, string],
  make: (first: number, second: number) => Counted,
): Counted {
  const [first, second] = [parts[names[0]] ?? null, parts[names[1]] ?? null]
  if (first === null || second === null) return halfOrNothing(names, [first, second])
  const wrong = names.find((name) => !isCount(parts[name]))
  return wrong === undefined ? make(first, second) : impossible(`${wrong} is ${parts[wrong]}`)
}

/** Half of an answer is no answer: an absent series is not zero unless the query says so. */
function halfOrNothing(names: readonly [string, string], amounts: readonly [Amount, Amount]): Counted {
  const there = amounts.findIndex((amount) => amount !== null)
  if (there < 0) return nothing(names)
  return {
    kind: 'no-data',
    reason: `There is nothing for ${names[1 - there]}, while ${names[there]} is ${amounts[there]}. Where absent means zero, the query has to say so.`,
  }
}

const isCount = (amount: Amount | undefined): boolean =>
  typeof amount === 'number' && Number.isFinite(amount) && amount >= 0

/**
 * The histogram over exactly the declared bounds. Cumulative rows (Prometheus) may have more bounds than were declared;
 * single ones (a GROUP BY) may leave out empty buckets, but must not have others.
 */
export function histogramFrom(
  bounds: readonly number[],
  rows: readonly BucketRow[],
  { cumulative }: { cumulative: boolean },
): Counted {
  if (rows.length === 0) return nothing(['buckets'])
  const byBound = new Map<number, number>()
  for (const { le, count } of rows) {
    const bound = le === null ? Number.POSITIVE_INFINITY : declared(le, bounds)
    if (Number.isNaN(bound)) return impossible('a bound is NaN')
    if (byBound.has(bound)) return impossible(`the bucket up to ${bound} is there twice`)
    if (count === null || !isCount(count)) return impossible(`the bucket up to ${bound} holds ${count}`)
    byBound.set(bound, count)
  }
  const wanted = [...bounds, Number.POSITIVE_INFINITY]
  const counts = cumulative ? differences(wanted, byBound) : single(wanted, byBound)
  return 'kind' in counts
    ? counts
    : { kind: 'sample', sample: { kind: 'histogram', bounds: [...bounds], counts } }
}

/** A database may keep bounds with fewer digits: 0.1 comes back as 0.10000000149. */
const declared = (le: number, bounds: readonly number[]): number =>
  bounds.find((bound) => Math.abs(bound - le) <= Math.abs(bound) * ROUNDING) ?? le

function single(wanted: readonly number[], byBound: ReadonlyMap<number, number>): number[] | Counted {
  const stranger = [...byBound.keys()].find((bound) => !wanted.includes(bound))
  if (stranger !== undefined)
    return impossible(`there is a bucket up to ${stranger}, which the metric does not declare`)
  return wanted.map((bound) => byBound.get(bound) ?? 0)
}

function differences(wanted: readonly number[], byBound: ReadonlyMap<number, number>): number[] | Counted {
  const counts: number[] = []
  let below = 0
  for (const bound of wanted) {
    const upTo = byBound.get(bound)
    if (upTo === undefined)
      return impossible(
        `there is no bucket up to ${bound}; there are ${[...byBound.keys()].sort((a, b) => a - b).join(', ')}`,
      )
    if (upTo < below * (1 - ROUNDING) - ROUNDING)
      return impossible(`the bucket up to ${bound} holds ${upTo}, fewer than the one before, ${below}`)
    counts.push(Math.max(0, upTo - below))
    below = Math.max(below, upTo)
  }
  return counts
}

const nothing = (names: readonly string[]): Counted => ({
  kind: 'no-data',
  reason: `There is nothing for ${names.join(' and ')} in this window.`,
})
const impossible = (what: string): Counted => ({ kind: 'impossible', what })

/**
 * A number as sources write it: a JSON number, or its text (`"12"`, `"1.5e3"`, `"NaN"`, `"+Inf"`).
 * `null` for null, `undefined` for anything that is no number.
 */
export function amountOf(input: unknown): Amount | undefined {
  if (input === null) return null
  if (typeof input === 'number') return input
  if (typeof input !== 'string') return undefined
  const text = input.trim()
  if (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) return Number(text)
  if (/^nan$/i.test(text)) return Number.NaN
  const infinity = /^([+-]?)inf(inity)?$/i.exec(text)
  if (infinity === null) return undefined
  return infinity[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY
}
