import type { RolloutView } from '../../../src/core/rollout/view/view.ts'
import { formatDuration } from '../format/duration.ts'
import { useNow } from '../parts/now.ts'
import { Moment } from '../parts/zone.tsx'

/** From what to what, by whom, since when. */
export function ReleaseChange({ rollout }: { rollout: RolloutView }) {
  const { from, to } = rollout
  return (
    <section className="change" aria-label="Versions">
      <dl>
        <div>
          <dt>From</dt>
          <dd>
            {from === null ? (
              <span className="dim">nothing</span>
            ) : (
              <span className="version">{from.version}</span>
            )}
          </dd>
        </div>
        <div>
          <dt>To</dt>
          <dd>
            <span className="version">{to.version}</span>{' '}
            <span className="mono dim" title={to.digest}>
              {shortDigest(to.digest)}
            </span>
          </dd>
        </div>
        <div>
          <dt>Strategy</dt>
          <dd>{rollout.strategy}</dd>
        </div>
        <div>
          <dt>Started</dt>
          <dd>
            <Moment at={rollout.startedAt} /> by {rollout.actor}
          </dd>
        </div>
        <div>
          <dt>{rollout.endedAt === null ? 'Running for' : 'Took'}</dt>
          <dd>
            {rollout.endedAt === null ? (
              <Elapsed since={rollout.startedAt} />
            ) : (
              formatDuration(rollout.endedAt - rollout.startedAt)
            )}
          </dd>
        </div>
        <div>
          <dt>Plan</dt>
          <dd className="mono" title={rollout.plan.hash}>
            {rollout.plan.id}
          </dd>
        </div>
      </dl>
    </section>
  )
}

/** `sha256:0f3a...` -> `0f3a9c21`. */
const shortDigest = (digest: string): string => digest.replace(/^sha256[:-]/, '').slice(0, 8)

function Elapsed({ since }: { since: number }) {
  return <span className="numbers">{formatDuration(Math.floor((useNow() - since) / 1000) * 1000)}</span>
}
