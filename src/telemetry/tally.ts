import type { Component, CounterName, HistogramName, LabelsOf } from './metric-table.ts'
import { METRIC_TABLE } from './metric-table.ts'
import { type Distribution, distribution, type Sample } from './sample.ts'

/** What is counted as it happens. Adding is a look into a map; text is made when somebody asks. */
export interface Tally {
  /** @example tally.count('sluice_rollouts_total', { stream: 'shop.local', outcome: 'promoted' }) */
  count<Name extends CounterName>(name: Name, labels: LabelsOf<Name>, by?: number): void
  observe<Name extends HistogramName>(name: Name, labels: LabelsOf<Name>, seconds: number): void
  samples(): Sample[]
}

type Counted = { name: CounterName; labels: Record<string, string>; value: number }
type Observed = {
  add(seconds: number): void
  sample(): Sample
}

export function createTally(component: Component): Tally {
  const counted = new Map<string, Counted>()
  const observed = new Map<string, Observed>()
  const bounds = new Map<string, readonly number[]>(
    METRIC_TABLE[component].flatMap((row) => (row.type === 'histogram' ? [[row.name, row.bounds]] : [])),
  )
  return {
    count: (name, labels, by = 1) => {
      const key = keyOf(name, labels)
      const known = counted.get(key)
      if (known === undefined) counted.set(key, { name, labels, value: by })
      else known.value += by
    },
    observe: (name, labels, seconds) => {
      const key = keyOf(name, labels)
      const known = observed.get(key) ?? histogram(name, labels, bounds.get(name) ?? [])
      observed.set(key, known)
      known.add(seconds)
    },
    samples: () => [
      ...[...counted.values()].map((one) => ({ ...one })),
      ...[...observed.values()].map((one) => one.sample()),
    ],
  }
}

function histogram<Name extends HistogramName>(
  name: Name,
  labels: LabelsOf<Name>,
  bounds: readonly number[],
): Observed {
  const buckets = new Array<number>(bounds.length + 1).fill(0)
  let sum = 0
  return {
    add: (seconds) => {
      const index = bounds.findIndex((bound) => seconds <= bound)
      const at = index === -1 ? bounds.length : index
      buckets[at] = (buckets[at] ?? 0) + 1
      sum += seconds
    },
    sample: () => {
      const value: Distribution = { buckets: [...buckets], sum }
      return distribution(name, labels, value)
    },
  }
}

const keyOf = (name: string, labels: Record<string, string>): string =>
  [name, ...Object.values(labels)].join('\n')
