import type { HealthTargets } from '../../release/analysis-settings.ts'
import type { BaselineFacts } from '../baseline.ts'
import { addSides, noRequests, type SideCounts } from '../batch.ts'
import { healthTargets } from '../health-targets.ts'
import { figuresOfUse, type HostSums, type UseSums } from '../resources/use-sums.ts'
import type { BaselineTable } from './evidence.ts'
import { changeOf, FIGURE_ROWS, shownFigure } from './figure-rows.ts'
import { type Figures, figuresBefore, figuresNow } from './figures.ts'
import type { Look } from './trail.ts'

export type TableInput = {
  /** What was known of stable before; `null` where nothing was recorded. */
  recorded: BaselineFacts | null
  looks: readonly Look[]
  use: { candidate: UseSums; stable: UseSums; host: HostSums }
  targets: HealthTargets
}

/** What stable did before the rollout and beside the candidate, and what the candidate does. */
export function baselineTable({ recorded, looks, use, targets }: TableInput): BaselineTable {
  const before = recorded === null || recorded.requests === 0 ? null : figuresBefore(recorded)
  const counts = { candidate: countsOf(looks, 'candidate'), stable: countsOf(looks, 'stable') }
  const stable = figuresNow(counts.stable, {
    servedMs: servedMs(looks, 'stable'),
    use: use.stable,
    host: use.host,
  })
  const now = figuresNow(counts.candidate, {
    servedMs: servedMs(looks, 'candidate'),
    use: use.candidate,
    host: use.host,
  })
  const told = healthTargets(targets, { counts: counts.candidate, use: figuresOfUse(use.candidate) })
  const rows = FIGURE_ROWS.map((row): BaselineTable['rows'][number] => {
    const target = told.find(({ name }) => name === row.metric)
    return {
      metric: row.metric,
      before: before === null ? 'not recorded' : shownFigure(row, before),
      stable: shownFigure(row, stable),
      now: shownFigure(row, now),
      change: changeOf(row, before ?? stable, now),
      target: target?.limit ?? '',
      status: target === undefined ? 'none' : statusOf(target.met),
    }
  })
  return { before: before === null ? 'rollout' : 'recorded', rows, notes: notesOf(before, now) }
}

function statusOf(met: boolean | null): BaselineTable['rows'][number]['status'] {
  if (met === null) return 'not-known'
  return met ? 'met' : 'missed'
}

const countsOf = (looks: readonly Look[], of: 'candidate' | 'stable'): SideCounts =>
  looks.reduce((sum, { batch }) => addSides(sum, batch[of]), noRequests())

/** Only the time in which the version had traffic counts for its rate. */
const servedMs = (looks: readonly Look[], of: 'candidate' | 'stable'): number =>
  looks.reduce(
    (sum, { batch }) => sum + (batch[of].requests > 0 ? Math.max(0, batch.at - batch.sinceAt) : 0),
    0,
  )

function notesOf(before: Figures | null, now: Figures): string[] {
  const notes: string[] = []
  if (now.cpuPercent === null)
    notes.push(
      'CPU, memory and disk of the candidate are not known: this target cannot tell, or the rollout was too short to measure outside of the start of its stages.',
    )
  else if (before !== null && before.cpuPercent === null)
    notes.push('CPU, memory and disk were not recorded before the rollout: the target could not tell.')
  if (now.cpuPercent !== null && now.diskBusyPercent === null)
    notes.push('How busy the disk is is not known: this host does not tell.')
  return notes
}
