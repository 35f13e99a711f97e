import type { HealthTargetView } from '../../../src/core/rollout/view/view.ts'
import type { StateMark } from '../format/state.ts'
import { Panel } from '../parts/panel.tsx'
import { Pill } from '../parts/pill.tsx'

/** Reported, never a trigger. */
export function TargetsPanel({ targets }: { targets: HealthTargetView[] }) {
  if (targets.length === 0) return null
  return (
    <Panel title="Health targets" aside="reported only">
      <ul className="targets">
        {targets.map((target) => (
          <li key={target.name}>
            <Pill mark={markOf(target.met)} />
            <span>{target.name}</span>
            <span className="numbers">{target.value}</span>
            <span className="dim">target {target.limit}</span>
          </li>
        ))}
      </ul>
    </Panel>
  )
}

function markOf(met: boolean | null): StateMark {
  if (met === null) return { label: 'Not known', tone: 'quiet', glyph: 'minus' }
  return met
    ? { label: 'Met', tone: 'good', glyph: 'check' }
    : { label: 'Missed', tone: 'warn', glyph: 'alert' }
}
