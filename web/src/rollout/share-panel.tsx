import type { RolloutView, SetView } from '../../../src/core/rollout/view/view.ts'
import { formatNoun, formatWeight } from '../format/amount.ts'
import { Panel } from '../parts/panel.tsx'
import { batchesOf } from './batches.ts'
import { TrafficPanel } from './traffic-panel.tsx'

type ShareProps = { rollout: RolloutView; sets: SetView[] }

/** Who does the work: by traffic, by instances, or by both where they change places in batches. */
export function SharePanel({ rollout, sets }: ShareProps) {
  return (
    <>
      {rollout.sharedBy === 'traffic' ? <TrafficPanel rollout={rollout} sets={sets} /> : null}
      {rollout.state === 'ended' ? null : <BatchesPanel rollout={rollout} sets={sets} />}
    </>
  )
}

function BatchesPanel({ rollout, sets }: ShareProps) {
  const batches = batchesOf(rollout.steps)
  if (batches === null) return null
  const { from, to, weight, sharedBy } = rollout
  const sides: SideProps[] = [
    { side: 'new', version: to.version, marks: marksOf(sets, to.release) },
    ...(from === null
      ? []
      : [{ side: 'old' as const, version: from.version, marks: marksOf(sets, from.release) }]),
  ]
  return (
    <Panel title="Batches" aside={`batch ${batches.at} of ${batches.total}`}>
      {sharedBy === 'traffic' ? null : (
        <p>
          {to.version} is {formatWeight(weight.desiredPermille)} of the instances that take work.
        </p>
      )}
      <ul className="marks" aria-hidden="true">
        {sides.flatMap(({ side, marks }) =>
          marks.map(({ id, look }) => <li key={id} className={`mark is-${side} is-${look}`} />),
        )}
      </ul>
      <dl className="marks-sums">
        {sides.map((props) => (
          <Side key={props.side} {...props} />
        ))}
      </dl>
    </Panel>
  )
}

type Look = 'ready' | 'waiting' | 'leaving'
type Mark = { id: string; look: Look }
type SideProps = { side: 'new' | 'old'; version: string; marks: Mark[] }

function Side({ side, version, marks }: SideProps) {
  const count = (wanted: Look): number => marks.filter(({ look }) => look === wanted).length
  const others = (['waiting', 'leaving'] as const).filter((look) => count(look) > 0)
  return (
    <div>
      <dt>
        <span className={`mark is-${side}`} aria-hidden="true" /> {version}
      </dt>
      <dd className="numbers">
        {[
          `${formatNoun(count('ready'), 'instance')} ready`,
          ...others.map((look) => `${count(look)} ${WORD[look]}`),
        ].join(', ')}
      </dd>
    </div>
  )
}

const WORD = { waiting: 'not ready', leaving: 'leaving' } as const

const marksOf = (sets: SetView[], release: string): Mark[] =>
  sets
    .filter((set) => set.release === release)
    .flatMap(({ instances, leaving = [] }) =>
      instances.map(({ id, state }) => ({ id, look: leaving.includes(id) ? 'leaving' : lookOf(state) })),
    )

function lookOf(state: SetView['instances'][number]['state']): Look {
  if (state === 'ready') return 'ready'
  return state === 'stopping' || state === 'gone' ? 'leaving' : 'waiting'
}
