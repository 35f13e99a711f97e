import type { RolloutView, SetView } from '../../../src/core/rollout/view/view.ts'
import { formatWeight } from '../format/amount.ts'
import { weightDrift } from '../format/state.ts'
import { Notice } from '../parts/notice.tsx'
import { Panel } from '../parts/panel.tsx'
import { WeightBar } from '../parts/weight-bar.tsx'

/** What we want and what the router really does, as two numbers. */
export function TrafficPanel({ rollout, sets }: { rollout: RolloutView; sets: SetView[] }) {
  const { desiredPermille, observedPermille } = rollout.weight
  const drift = weightDrift(rollout.weight)
  return (
    <Panel title={`Traffic to ${rollout.to.version}`}>
      <div className="traffic">
        <dl className="traffic-numbers">
          <div>
            <dt>Desired</dt>
            <dd>{formatWeight(desiredPermille)}</dd>
          </div>
          <div className={drift === 'differs' ? 'is-warn' : ''}>
            <dt>Observed</dt>
            <dd>{formatWeight(observedPermille)}</dd>
          </div>
        </dl>
        <div className="traffic-bar">
          <WeightBar
            desiredPermille={desiredPermille}
            observedPermille={observedPermille}
            label={`Traffic to ${rollout.to.version}`}
          />
          <div className="traffic-ends dim">
            <span>
              {rollout.to.version}
              {inFlight(sets, rollout.to.release)}
            </span>
            <span>
              {rollout.from === null ? '' : `${rollout.from.version}${inFlight(sets, rollout.from.release)}`}
            </span>
          </div>
        </div>
      </div>
      {drift === 'none' ? null : (
        <Notice tone={drift === 'differs' ? 'warn' : 'quiet'}>
          {drift === 'differs'
            ? `The router sends ${formatWeight(observedPermille)}, not ${formatWeight(desiredPermille)}. It is being told again.`
            : 'The router has not confirmed the weight yet.'}
        </Notice>
      )}
    </Panel>
  )
}

function inFlight(sets: SetView[], release: string): string {
  const count = sets.find((set) => set.release === release)?.inFlight ?? null
  return count === null ? '' : ` · ${count} in flight`
}
