import { quantileMs } from '../../shared/histogram.ts'
import type { BaselineFacts } from '../baseline.ts'
import { addSides, noRequests, type SideCounts } from '../batch.ts'
import { errorPercent, percent } from '../criteria.ts'
import { healthTargets } from '../health-targets.ts'
import type { BaselineTable } from './evidence.ts'
import type { Look } from './trail.ts'

type Figures = {
  requestsPerSecond: number | null
  errorPercent: number | null
  p50Ms: number | null
  p95Ms: number | null
  p99Ms: number | null
}

/** What stable did before the rollout, or beside the candidate where nothing was recorded, and what the candidate does. */
export function baselineTable(recorded: BaselineFacts | null, looks: readonly Look[]): BaselineTable {
  const isRecorded = recorded !== null && recorded.requests > 0
  const before = isRecorded ? recorded : figuresOf(looks, 'stable')
  const now = figuresOf(looks, 'candidate')
  const candidate = countsOf(looks, 'candidate')
  const targets = new Map(healthTargets(candidate).map((target) => [target.name, target]))
  const row = (metric: string, of: keyof Figures, show: (value: number) => string, change: Change) => {
    const target = targets.get(metric)
    const met = target?.met ?? null
    return {
      metric,
      before: shown(before[of], show),
      now: shown(now[of], show),
      change: before[of] === null || now[of] === null ? '-' : change(before[of], now[of]),
      target: target?.limit ?? '',
      status: met === null ? ('none' as const) : met ? ('met' as const) : ('missed' as const),
    }
  }
  return {
    before: isRecorded ? 'recorded' : 'rollout',
    rows: [
      // The candidate has a share of the traffic: its requests are no change of anything.
      row(
        'requests/s',
        'requestsPerSecond',
        (value) => value.toFixed(1),
        () => '-',
      ),
      row('error rate', 'errorPercent', percent, inPoints),
      row('p50', 'p50Ms', ms, inPercent),
      row('p95', 'p95Ms', ms, inPercent),
      row('p99', 'p99Ms', ms, inPercent),
    ],
  }
}

type Change = (before: number, now: number) => string

const shown = (value: number | null, show: (value: number) => string): string =>
  value === null ? 'no data' : show(value)
const ms = (value: number): string => `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`
const signed = (value: number, text: string): string => `${value > 0 ? '+' : ''}${text}`
const inPoints: Change = (before, now) => {
  const points = Number((now - before).toFixed(2))
  return points === 0 ? 'none' : signed(points, `${points} ${Math.abs(points) === 1 ? 'point' : 'points'}`)
}
const inPercent: Change = (before, now) => {
  if (before === 0) return '-'
  const part = Math.round((100 * (now - before)) / before)
  return part === 0 ? 'none' : signed(part, `${part}%`)
}

function countsOf(looks: readonly Look[], of: 'candidate' | 'stable'): SideCounts {
  return looks.reduce((sum, { batch }) => addSides(sum, batch[of]), noRequests())
}

/** Only the time in which the version had traffic counts for its rate. */
function figuresOf(looks: readonly Look[], of: 'candidate' | 'stable'): Figures {
  const counts = countsOf(looks, of)
  const servedMs = looks.reduce(
    (sum, { batch }) => sum + (batch[of].requests > 0 ? Math.max(0, batch.at - batch.sinceAt) : 0),
    0,
  )
  return {
    requestsPerSecond: servedMs === 0 ? null : (1000 * counts.requests) / servedMs,
    errorPercent: counts.requests === 0 ? null : errorPercent(counts),
    p50Ms: quantileMs(counts.latencyBuckets, 0.5),
    p95Ms: quantileMs(counts.latencyBuckets, 0.95),
    p99Ms: quantileMs(counts.latencyBuckets, 0.99),
  }
}
