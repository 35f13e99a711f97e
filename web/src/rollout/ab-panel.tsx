import type { AbArmView, AbView } from '../../../src/core/rollout/ab/ab-result-view.ts'
import { formatCount, formatNoun, formatWeight, UNKNOWN } from '../format/amount.ts'
import { formatCountdown } from '../format/duration.ts'
import type { StateMark } from '../format/state.ts'
import { ArmsTable } from '../parts/arms-table.tsx'
import { useNow } from '../parts/now.ts'
import { Panel } from '../parts/panel.tsx'
import { Pill } from '../parts/pill.tsx'
import { Moment } from '../parts/zone.tsx'
import { placeOf } from './ratio-scale.ts'

const VERDICT: Record<AbArmView['verdict'], StateMark> = {
  control: { label: 'Control', tone: 'quiet', glyph: 'minus' },
  better: { label: 'Better', tone: 'good', glyph: 'check' },
  worse: { label: 'Worse', tone: 'bad', glyph: 'cross' },
  open: { label: 'Not decided', tone: 'accent', glyph: 'eye' },
}

const COLUMNS = ['Variant', 'Share', 'Users', 'Reached', 'Rate', 'Times as often as stable', 'Verdict']

type AbPanelProps = { ab: AbView | undefined; isOver: boolean }

/** How an A/B test stands: who reached the goal in each arm, and how surely that is more or less often than in stable. */
export function AbPanel({ ab, isOver }: AbPanelProps) {
  if (ab === undefined) return null
  return (
    <Panel title="A/B test" aside={isOver ? 'over' : <Left endsAt={ab.endsAt} />}>
      <p>
        Goal: <span className="mono">{ab.goal}</span>, answered without an error. Each user counts once.
        {ab.among === undefined ? '' : ` Only users whose ${ab.among} take part.`}
      </p>
      <ArmsTable label="Variants" columns={COLUMNS}>
        {ab.arms.map((arm) => (
          <Arm key={arm.name} arm={arm} />
        ))}
      </ArmsTable>
      <p className="dim">
        The thin line is as often as stable. The intervals hold together with {ab.confidencePercent}%
        confidence, however often somebody looks.
        {ab.arms.some(({ users }) => users === null)
          ? ' The service says who its users are, so how many there are is not known.'
          : ''}
      </p>
    </Panel>
  )
}

function Left({ endsAt }: { endsAt: number | null }) {
  const now = useNow()
  if (endsAt === null) return 'begins with its traffic'
  if (now >= endsAt) return 'its time is over'
  return (
    <>
      {formatCountdown(endsAt - now)} left, until <Moment at={endsAt} />
    </>
  )
}

function Arm({ arm }: { arm: AbArmView }) {
  const { name, sharePermille, users, goals, verdict } = arm
  return (
    <tr>
      <th scope="row">{name}</th>
      <Cell name="Share">{formatWeight(sharePermille)}</Cell>
      <Cell name="Users">{formatCount(users)}</Cell>
      <Cell name="Reached">{formatCount(goals)}</Cell>
      <Cell name="Rate">{rateText(arm)}</Cell>
      <td className="arm-ratio">
        {verdict === 'control' ? <span className="dim">stable itself</span> : <Ratio arm={arm} />}
      </td>
      <td className="arm-verdict">
        <Pill mark={VERDICT[verdict]} />
      </td>
    </tr>
  )
}

/** Where there is no room for a head, each value has its name above it. */
function Cell({ name, children }: { name: string; children: string }) {
  return (
    <td className="numbers">
      <span className="arm-label" aria-hidden="true">
        {name}
      </span>
      {children}
    </td>
  )
}

/** The interval as a bar on a scale from a quarter to four times, with a line where it is just as often. */
function Ratio({ arm: { ratio, low, high, goals, verdict } }: { arm: AbArmView }) {
  if (low === null || (low === 0 && high === null))
    return <span className="dim">{formatNoun(goals, 'user')} are too few to say</span>
  const [from, to] = [placeOf(low), placeOf(high)]
  return (
    <>
      <span className="ratio" aria-hidden="true">
        <span className="ratio-one" />
        <span
          className={`ratio-bar is-${verdict}`}
          style={{ insetInlineStart: `${from}%`, width: `${to - from}%` }}
        />
        {ratio === null ? null : (
          <span className="ratio-mark" style={{ insetInlineStart: `${placeOf(ratio)}%` }} />
        )}
      </span>
      <span className="numbers ratio-text">
        {ratio === null ? UNKNOWN : `${ratio.toFixed(2)} ×`}{' '}
        <span className="dim">
          ({low.toFixed(2)} to {high === null ? 'any' : high.toFixed(2)})
        </span>
      </span>
    </>
  )
}

const rateText = ({ users, goals }: AbArmView): string =>
  users === null || users === 0 ? UNKNOWN : `${((100 * goals) / users).toFixed(1)}%`
