import { useMemo } from 'react'
import type { RolloutSeries, RolloutView } from '../../../src/core/rollout/view/view.ts'
import { toProblem } from '../api/call.ts'
import { useSeries } from '../api/queries.ts'
import { Chart, type ChartLine } from '../chart/chart.tsx'
import { ProblemNotice } from '../parts/notice.tsx'
import { Panel } from '../parts/panel.tsx'

/** Weight, errors, latency and requests over the rollout, both versions side by side. */
export function ChartsPanel({ rollout }: { rollout: RolloutView }) {
  const { data, error } = useSeries(rollout)
  return (
    <Panel title="Charts" aside={<Legend rollout={rollout} />}>
      {error === null ? null : <ProblemNotice problem={toProblem(error)} />}
      {data === undefined && error === null ? <div className="skeleton is-block" /> : null}
      {data === undefined ? null : <Charts series={data} rollout={rollout} />}
    </Panel>
  )
}

function Legend({ rollout: { from, to } }: { rollout: RolloutView }) {
  return (
    <ul className="legend">
      <li>
        <span className="legend-line is-candidate" aria-hidden="true" />
        {to.version}, solid
      </li>
      {from === null ? null : (
        <li>
          <span className="legend-line is-stable" aria-hidden="true" />
          {from.version}, dashed
        </li>
      )}
    </ul>
  )
}

function Charts({ series, rollout }: { series: RolloutSeries; rollout: RolloutView }) {
  const from = rollout.from?.version ?? null
  const to = rollout.to.version
  // The same arrays as long as the data is the same, so that moving the cursor draws no line anew.
  const lines = useMemo(() => linesOf(series, { from, to }), [series, from, to])
  if (series.at.length < 2) return <p className="dim">The first points arrive with the first traffic.</p>
  return (
    <div className="charts">
      <Chart
        title={rollout.sharedBy === 'traffic' ? 'Weight' : 'Share'}
        unit="%"
        at={series.at}
        lines={lines.weight}
        top={100}
      />
      {rollout.sharedBy === 'instances' ? null : (
        <>
          <Chart title="Errors" unit="%" at={series.at} lines={lines.errors} />
          <Chart title="Latency p95" unit="ms" at={series.at} lines={lines.latency} />
          <Chart title="Requests" unit="/s" at={series.at} lines={lines.requests} />
        </>
      )}
    </div>
  )
}

function linesOf(series: RolloutSeries, { from, to }: { from: string | null; to: string }) {
  const both = (measure: keyof RolloutSeries['stable']): ChartLine[] => {
    const candidate: ChartLine = { label: to, role: 'candidate', values: series.candidate[measure] }
    if (from === null) return [candidate]
    return [candidate, { label: from, role: 'stable', values: series.stable[measure] }]
  }
  const weight: ChartLine = {
    label: to,
    role: 'weight',
    values: series.weightPermille.map((permille) => permille / 10),
  }
  return {
    weight: [weight],
    errors: both('errorRatePercent'),
    latency: both('p95Ms'),
    requests: both('requestsPerSecond'),
  }
}
