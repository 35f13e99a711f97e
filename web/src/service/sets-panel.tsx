import type { SetView } from '../../../src/core/rollout/view/view.ts'
import { formatCount, formatWeight } from '../format/amount.ts'
import { formatBothZones } from '../format/moment.ts'
import { Panel } from '../parts/panel.tsx'
import { InstanceRow } from './instance-row.tsx'

const ROLE: Record<SetView['role'], string> = {
  stable: 'Stable',
  candidate: 'Candidate',
  warm: 'Warm: kept ready for an instant way back',
  held: 'Held: without traffic, for inspection',
  retiring: 'Retiring',
}

type SetsPanelProps = { sets: SetView[]; hasTraffic: boolean }

/** What runs now, set by set. */
export function SetsPanel({ sets, hasTraffic }: SetsPanelProps) {
  return (
    <Panel title="Instances">
      {sets.length === 0 ? <p className="dim">Nothing runs.</p> : null}
      {sets.map((set) => (
        <section key={`${set.release}-${set.role}`} className="set" aria-label={`Version ${set.version}`}>
          <SetHead set={set} hasTraffic={hasTraffic} />
          <ul className="instances">
            {set.instances.map((instance) => (
              <InstanceRow
                key={instance.id}
                instance={instance}
                isLeaving={set.leaving?.includes(instance.id) ?? false}
              />
            ))}
          </ul>
        </section>
      ))}
    </Panel>
  )
}

function SetHead({ set, hasTraffic }: { set: SetView; hasTraffic: boolean }) {
  return (
    <header className="set-head">
      <h3>
        <span className="version">{set.version}</span> <span className="dim set-role">{ROLE[set.role]}</span>
      </h3>
      <dl className="facts">
        <Fact name="Ready" value={`${set.ready} of ${set.wanted}`} warn={set.ready < set.wanted} />
        {hasTraffic ? <TrafficFacts set={set} /> : null}
        {set.leavesAt === null ? null : (
          <Fact name="Stays until" value={formatBothZones(set.leavesAt)} warn={false} />
        )}
      </dl>
    </header>
  )
}

function TrafficFacts({ set }: { set: SetView }) {
  const { desiredWeightPermille: desired, observedWeightPermille: observed } = set
  return (
    <>
      <Fact
        name="Traffic"
        value={
          desired === observed
            ? formatWeight(observed)
            : `${formatWeight(observed)}, wanted ${formatWeight(desired)}`
        }
        warn={observed !== null && desired !== observed}
      />
      <Fact name="In flight" value={formatCount(set.inFlight)} warn={false} />
    </>
  )
}

function Fact({ name, value, warn }: { name: string; value: string; warn: boolean }) {
  return (
    <div className={warn ? 'fact is-warn' : 'fact'}>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  )
}
