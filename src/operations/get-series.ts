import * as z from 'zod'
import type { SideCounts } from '../core/analysis/batch.ts'
import { RolloutSeries } from '../core/rollout/view/view.ts'
import { quantileMs } from '../core/shared/histogram.ts'
import { ok } from '../core/shared/result.ts'
import { operationOf } from './context.ts'
import type { NumberedEvent } from './rollout-events.ts'
import { loadRollout, rolloutEvents } from './rollout-events.ts'

export const getSeries = operationOf({
  name: 'get_series',
  summary: 'Chart data of a rollout: weight, requests, error rate and p95 of both versions over time.',
  input: z.strictObject({ id: z.string() }),
  output: RolloutSeries,
  permission: 'read',
  run: async (context, { id }) => {
    const found = await loadRollout(context, id)
    if (found.kind === 'failed') return found
    const events = await rolloutEvents(context, found.value)
    return events.kind === 'failed'
      ? events
      : ok(seriesOf(id, found.value.record.view.to.release, events.value))
  },
})

type Line = RolloutSeries['stable']
const emptyLine = (): Line => ({ requestsPerSecond: [], errorRatePercent: [], p95Ms: [] })

function seriesOf(rollout: string, candidate: string, events: readonly NumberedEvent[]): RolloutSeries {
  const series: RolloutSeries = {
    rollout,
    at: [],
    weightPermille: [],
    stable: emptyLine(),
    candidate: emptyLine(),
  }
  let weightPermille = 0
  for (const { event } of events) {
    if (event.kind === 'weights-decided') weightPermille = event.weights[candidate] ?? 0
    if (event.kind !== 'metrics-observed' || event.batch === null) continue
    const { batch } = event
    const seconds = Math.max(0.001, (batch.at - batch.sinceAt) / 1000)
    series.at.push(batch.at)
    series.weightPermille.push(weightPermille)
    addPoint(series.stable, batch.stable, seconds)
    addPoint(series.candidate, batch.candidate, seconds)
  }
  return series
}

function addPoint(line: Line, side: SideCounts, seconds: number): void {
  line.requestsPerSecond.push(side.requests / seconds)
  line.errorRatePercent.push(side.requests === 0 ? null : (100 * side.errors) / side.requests)
  line.p95Ms.push(quantileMs(side.latencyBuckets, 0.95))
}
