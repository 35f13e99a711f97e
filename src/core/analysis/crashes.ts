import type { Batch } from './batch.ts'
import type { CrashComparison } from './check.ts'
import { logTermsAgainstStable, type SideCount } from './e-process.ts'
import { splitOf } from './new-errors.ts'
import { Metric } from './sequential/metric.ts'

/** A crash in each hour of an instance is what matters; exposures are hours, and points hundredths of a crash in one. */
const NOTICED_POINTS = 100

export const crashMetric = ({ name, ratio }: Pick<CrashComparison, 'name' | 'ratio'>): Metric =>
  Metric.parse({
    name,
    kind: 'rate',
    tolerance: { ratio, points: 0 },
    notice: { points: NOTICED_POINTS },
  })

type Counts = Pick<Batch, 'candidate' | 'stable' | 'crashes'>
type Side = { events: number; exposure: number }

/** Crashes and hours of instances, as they were; `null` where they were not seen. */
export const crashesIn = ({ crashes }: Counts): { candidate: SideCount; stable: SideCount } | null =>
  crashes === undefined
    ? null
    : {
        candidate: { bad: crashes.candidate.events, total: crashes.candidate.exposure },
        stable: { bad: crashes.stable.events, total: crashes.stable.exposure },
      }

/**
 * The rates that are compared. Some crashes come with requests and some with time: of the two splits the one counts that
 * gives the candidate the larger part, so that it is blamed only for what neither explains. Hours of stable are scaled to
 * it. `null` where nothing can be compared: a stable that answers nothing any more says little about requests.
 */
export function comparedCrashes({
  candidate,
  stable,
  crashes,
}: Counts): { candidate: Side; stable: Side } | null {
  if (crashes === undefined) return null
  const split = splitOf(
    { candidate: candidate.requests, stable: stable.requests },
    { candidate: crashes.candidate.exposure, stable: crashes.stable.exposure },
  )
  if (split === null || crashes.candidate.exposure === 0) return null
  const hours = (crashes.candidate.exposure * split.stable) / split.candidate
  return { candidate: crashes.candidate, stable: { ...crashes.stable, exposure: hours } }
}

/** One term per alternative, as the engine of rates has it. */
export const crashTerms = (
  { ratio }: Pick<CrashComparison, 'ratio'>,
  { candidate, stable }: { candidate: Side; stable: Side },
): number[] =>
  logTermsAgainstStable(
    {
      candidate: { bad: candidate.events, total: candidate.exposure },
      stable: { bad: stable.events, total: stable.exposure },
    },
    { ratio, share: 0 },
  )
