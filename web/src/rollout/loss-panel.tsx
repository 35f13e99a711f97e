import type { RolloutView } from '../../../src/core/rollout/view/view.ts'
import { formatCount, formatNoun } from '../format/amount.ts'
import { formatDuration } from '../format/duration.ts'
import { Icon } from '../parts/icon.tsx'
import { Panel } from '../parts/panel.tsx'

/** What the rollout cost its users, measured. */
export function LossPanel({ rollout }: { rollout: RolloutView }) {
  const { loss, exposure, trafficOffMs, to } = rollout
  const anyLost = loss.requestsLost + loss.probesLost > 0
  // Nobody sends requests to a worker.
  if (rollout.sharedBy === 'instances') return null
  return (
    <Panel title="Loss">
      <p className={`loss ${anyLost ? 'text-bad' : ''}`}>
        <Icon glyph={anyLost ? 'alert' : 'check'} size={16} />
        <span>
          <strong>
            {formatCount(loss.requestsLost)} of {formatNoun(loss.requests, 'request')} lost
            {loss.closed === undefined ? '' : ` (${formatCount(loss.closed)} while closed, as planned)`}
          </strong>
          {loss.probes === 0
            ? '.'
            : `, and ${formatCount(loss.probesLost)} of ${formatNoun(loss.probes, 'probe')}.`}
        </span>
      </p>
      <p className="dim">
        {to.version} served {formatNoun(exposure.requests, 'request')}, {formatCount(exposure.errors)} with an
        error.
        {loss.cutOnDrain === 0
          ? ''
          : ` ${formatNoun(loss.cutOnDrain, 'connection')} cut when the drain time was over.`}
        {trafficOffMs === null
          ? ''
          : ` Its traffic was off ${formatDuration(trafficOffMs)} after the verdict.`}
      </p>
    </Panel>
  )
}
