import type { Judge } from './judges.ts'
import { seedOf, uniformFrom } from './random.ts'
import { runOf, type World } from './world.ts'

/** What a judge did in many runs of one world. */
export type Outcome = {
  runs: number
  alarms: number
  /** Over all runs, in seconds; `null` when fewer than half of them alarmed. */
  medianSeconds: number | null
}

type CellOptions = { name: string; runs: number; judges: readonly Judge[] }

/** Lets all judges see the same runs. The name is the seed. */
export function measureCell(world: World, { name, runs, judges }: CellOptions): Outcome[] {
  const uniform = uniformFrom(seedOf(name))
  const times = judges.map((): number[] => [])
  for (let run = 0; run < runs; run += 1) {
    const seen = runOf(world, uniform)
    for (const [index, judge] of judges.entries()) {
      const after = judge.alarmAfter(seen)
      times[index]?.push(after === null ? Number.POSITIVE_INFINITY : after * world.lookSeconds)
    }
  }
  return times.map(outcomeOf)
}

export function outcomeOf(times: readonly number[]): Outcome {
  const sorted = times.toSorted((a, b) => a - b)
  const median = sorted[Math.ceil(sorted.length / 2) - 1] ?? Number.POSITIVE_INFINITY
  return {
    runs: sorted.length,
    alarms: sorted.filter(Number.isFinite).length,
    medianSeconds: Number.isFinite(median) ? median : null,
  }
}

export const percentOf = ({ alarms, runs }: Outcome): number => (100 * alarms) / runs

/** "0.4%", or for what is to be found "100%, 60 s". */
export function outcomeText(outcome: Outcome, isHarmless: boolean): string {
  const percent = percentOf(outcome)
  const share = `${percent === 0 || percent >= 99.95 ? percent.toFixed(0) : percent.toFixed(percent < 10 ? 2 : 1)}%`
  return isHarmless || outcome.medianSeconds === null ? share : `${share}, ${timeText(outcome.medianSeconds)}`
}

const timeText = (seconds: number): string =>
  seconds <= 600 ? `${seconds} s` : `${Math.round(seconds / 60)} min`
