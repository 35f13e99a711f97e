import { useState } from 'react'
import { planChart } from '../../../src/core/plan/picture/plan-chart.ts'
import type { Plan } from '../../../src/core/plan/plan.ts'
import type { RolloutView } from '../../../src/core/rollout/view/view.ts'
import { toProblem } from '../api/call.ts'
import { usePlan } from '../api/queries.ts'
import { Drawing } from '../chart/drawing.tsx'
import { asSentence } from '../format/sentence.ts'
import { ProblemNotice } from '../parts/notice.tsx'
import { Panel } from '../parts/panel.tsx'

/** What was agreed to: share, instances and ways back over time; asked for when somebody wants to see it. */
export function PlanPanel({ rollout }: { rollout: RolloutView }) {
  const [isAsked, setAsked] = useState(false)
  const { data, error } = usePlan(rollout.plan.id, isAsked)
  return (
    <Panel title="Plan" aside={<span className="mono">{rollout.plan.id}</span>}>
      <details className="opening" onToggle={({ currentTarget }) => currentTarget.open && setAsked(true)}>
        <summary>Share, instances and ways back over time</summary>
        {error === null ? null : <ProblemNotice problem={toProblem(error)} />}
        {data === undefined && error === null ? <div className="skeleton is-block" /> : null}
        {data === undefined ? null : <PlanPart plan={data} />}
      </details>
    </Panel>
  )
}

function PlanPart({ plan }: { plan: Plan }) {
  return (
    <>
      <Drawing draw={(width) => planChart(plan, { width })} />
      <ul className="plan-words">
        {[plan.because, ...(plan.besides ?? []), peakText(plan), ...plan.warnings]
          .filter((text) => text !== '')
          .map((text) => (
            <li key={text}>{asSentence(text)}</li>
          ))}
      </ul>
    </>
  )
}

const peakText = ({ peakInstances, peak }: Plan): string =>
  peak === undefined ? '' : `At its peak ${peakInstances} instances run: ${peak.formula}`
