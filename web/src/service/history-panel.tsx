import { Link } from 'wouter'
import type { RolloutSummary, ServiceView } from '../../../src/core/rollout/view/view.ts'
import { toProblem } from '../api/call.ts'
import { useHistory } from '../api/queries.ts'
import { formatNoun } from '../format/amount.ts'
import { formatDuration } from '../format/duration.ts'
import { asSentence } from '../format/sentence.ts'
import { outcomeMark } from '../format/state.ts'
import { ProblemNotice } from '../parts/notice.tsx'
import { Panel } from '../parts/panel.tsx'
import { Pill } from '../parts/pill.tsx'
import { Moment } from '../parts/zone.tsx'

export function HistoryPanel({ view }: { view: ServiceView }) {
  const { data, error } = useHistory(view)
  return (
    <Panel title="History">
      {error === null ? null : <ProblemNotice problem={toProblem(error)} />}
      {data === undefined && error === null ? <div className="skeleton is-block" /> : null}
      {data?.rollouts.length === 0 ? <p className="dim">No rollouts yet.</p> : null}
      <ul className="history">
        {data?.rollouts.map((rollout) => (
          <HistoryRow key={rollout.id} rollout={rollout} />
        ))}
      </ul>
    </Panel>
  )
}

function HistoryRow({ rollout }: { rollout: RolloutSummary }) {
  const { from, to, startedAt, endedAt, requestsLost } = rollout
  return (
    <li className="history-row">
      <div className="history-line">
        <Link href={`/rollouts/${encodeURIComponent(rollout.id)}`} className="version">
          {from === null ? to.version : `${from.version} → ${to.version}`}
        </Link>
        <Pill mark={outcomeMark(rollout.outcome)} />
      </div>
      <p>{asSentence(rollout.reason)}</p>
      <p className="history-foot dim">
        <Moment at={startedAt} />
        {endedAt === null ? '' : ` · ${formatDuration(endedAt - startedAt)}`} · {rollout.actor} ·{' '}
        {formatNoun(requestsLost, 'request')} lost
      </p>
    </li>
  )
}
