import type { SeedReport } from '../../src/testkit/simulator/engine/run-seed.ts'

export type Failure = { seed: number; what: string }

/** What many seeds add up to. */
export type Totals = {
  seeds: number
  rollouts: number
  virtualMs: number
  outcomes: Record<string, number>
  faults: Record<string, number>
  failures: Failure[]
}

export const noSeeds = (): Totals => ({
  seeds: 0,
  rollouts: 0,
  virtualMs: 0,
  outcomes: {},
  faults: {},
  failures: [],
})

export function addReport(
  totals: Totals,
  { seed, failure, rollouts, virtualMs, outcomes, faults }: SeedReport,
): void {
  totals.seeds += 1
  totals.rollouts += rollouts
  totals.virtualMs += virtualMs
  addCounts(totals.outcomes, outcomes)
  addCounts(totals.faults, faults)
  if (failure !== null) totals.failures.push({ seed, what: failure })
}

export function addTotals(totals: Totals, more: Totals): void {
  totals.seeds += more.seeds
  totals.rollouts += more.rollouts
  totals.virtualMs += more.virtualMs
  addCounts(totals.outcomes, more.outcomes)
  addCounts(totals.faults, more.faults)
  totals.failures.push(...more.failures)
}

function addCounts(into: Record<string, number>, more: Readonly<Record<string, number>>): void {
  for (const [name, count] of Object.entries(more)) into[name] = (into[name] ?? 0) + count
}

/** The summary as people read it. */
export function summary(totals: Totals, { tookMs, workers }: { tookMs: number; workers: number }): string {
  const { seeds, rollouts, virtualMs, failures } = totals
  const seconds = tookMs / 1000
  const rate = rollouts / seconds
  return [
    `${seeds} seeds in ${seconds.toFixed(1)} s on ${workers} ${workers === 1 ? 'worker' : 'workers'}: ${failures.length} failed`,
    `  ${rollouts} rollouts, ${rate.toFixed(0)} in a second (${(rate / workers).toFixed(0)} per worker); ${(virtualMs / 3_600_000).toFixed(1)} h of virtual time`,
    `  outcomes: ${counts(totals.outcomes)}`,
    `  faults that happened: ${counts(totals.faults)}`,
  ].join('\n')
}

const counts = (of: Readonly<Record<string, number>>): string =>
  Object.entries(of)
    .sort(([, a], [, b]) => b - a)
    .map(([name, count]) => `${name} ${count}`)
    .join(', ') || 'none'
