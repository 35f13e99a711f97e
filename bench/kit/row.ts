/** What a figure is held against. It is said, never asserted: a missed aim fails nothing. */
export type Aim = { text: string; met: boolean }

export type Point = { name: string; value: number }

export type Row =
  | { kind: 'measured'; what: string; unit: string; points: Point[]; runs: number; aim: Aim | null }
  | { kind: 'missing'; what: string; why: string }
  | Table
  | Picture

/** Figures that only make sense side by side. */
export type Table = {
  kind: 'table'
  what: string
  head: readonly string[]
  lines: readonly (readonly string[])[]
}

/** An SVG drawing of the figures, written to docs/images under this name. */
export type Picture = { kind: 'picture'; what: string; file: string; svg: string }

export type BenchOptions = {
  /** Few, short runs, to see whether the bench itself works. Its figures mean little. */
  quick: boolean
  /** A line for whoever waits. */
  say: (text: string) => unknown
}

export type Bench = {
  name: string
  title: string
  /** How it is measured, one sentence each. */
  method: readonly string[]
  /** `sources`: it imports parts of src/ itself. `program`: it runs the `sluice` of `programUnderTest`. */
  /** `simulation`: it imports parts of src/, and its figures are the same on every machine. */
  measures: 'sources' | 'program' | 'simulation'
  /** In docs/. What is outside of the chapter is written by hand; docs/benchmarks.md alone is written as a whole. */
  document: 'benchmarks.md' | 'judgement.md'
  run(options: BenchOptions): Promise<Row[]>
}

/** Smallest, middle and largest value. */
export function spread(values: readonly number[]): Point[] {
  const sorted = [...values].sort((a, b) => a - b)
  return [
    { name: 'min', value: sorted[0] ?? 0 },
    { name: 'median', value: quantile(sorted, 0.5) },
    { name: 'max', value: sorted.at(-1) ?? 0 },
  ]
}

/** Median, 99th percentile and largest value, each a value that was measured (nearest rank). */
export function tail(values: readonly number[]): Point[] {
  const sorted = [...values].sort((a, b) => a - b)
  return [
    { name: 'p50', value: quantile(sorted, 0.5) },
    { name: 'p99', value: quantile(sorted, 0.99) },
    { name: 'max', value: sorted.at(-1) ?? 0 },
  ]
}

/** The same with the 90th percentile. */
export const longTail = (values: readonly number[]): Point[] => {
  const [p50, ...rest] = tail(values)
  const p90 = {
    name: 'p90',
    value: quantile(
      [...values].sort((a, b) => a - b),
      0.9,
    ),
  }
  return p50 === undefined ? [] : [p50, p90, ...rest]
}

export const pointOf = (points: readonly Point[], name: string): number =>
  points.find((point) => point.name === name)?.value ?? Number.NaN

const quantile = (sorted: readonly number[], share: number): number =>
  sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0

type MeasuredOptions = { unit: string; points: Point[]; runs: number; aim?: Aim }

export const measured = (what: string, { unit, points, runs, aim }: MeasuredOptions): Row => ({
  kind: 'measured',
  what,
  unit,
  points,
  runs,
  aim: aim ?? null,
})

/** The rows, or one that says why there are none: a peer that fails must not cost the figures of the others. */
export async function orMissing(what: string, rows: () => Promise<Row[]>): Promise<Row[]> {
  try {
    return await rows()
  } catch (error) {
    return [{ kind: 'missing', what, why: messageOf(error) }]
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
