import type { CounterName, GaugeName, HistogramName, LabelsOf } from './metric-table.ts'

/** One number of a counter or gauge, or the counts of a histogram, as of now. */
export type Sample = {
  name: CounterName | GaugeName | HistogramName
  labels: Readonly<Record<string, string>>
  value: number | Distribution
}

/** How many values fell into each bucket, not added up; the last one is for what is above all bounds. */
export type Distribution = { buckets: readonly number[]; sum: number }

/** @example sample('sluice_leases_held', {}, 3) */
export function sample<Name extends CounterName | GaugeName>(
  name: Name,
  labels: LabelsOf<Name>,
  value: number,
): Sample {
  return { name, labels, value }
}

export function distribution<Name extends HistogramName>(
  name: Name,
  labels: LabelsOf<Name>,
  value: Distribution,
): Sample {
  return { name, labels, value }
}
