import type { RolloutView } from '../../../src/core/rollout/view/view.ts'
import { formatNoun } from '../format/amount.ts'
import type { StateMark } from '../format/state.ts'
import { Panel } from '../parts/panel.tsx'
import { Pill } from '../parts/pill.tsx'

/** What the candidate writes and stable does not. */
export function NewErrorsPanel({ rollout: { newErrors, to } }: { rollout: RolloutView }) {
  if (newErrors.length === 0) return null
  return (
    <Panel title="New errors" aside={`written by ${to.version} only`}>
      <ul className="targets">
        {newErrors.map((error) => (
          <li key={error.template}>
            <Pill mark={markOf(error.isShown)} />
            <code className="error-example">{error.example}</code>
            <span className="numbers">{formatNoun(error.count, 'time')}</span>
          </li>
        ))}
      </ul>
    </Panel>
  )
}

const markOf = (isShown: boolean): StateMark =>
  isShown
    ? { label: 'Comes with it', tone: 'bad', glyph: 'cross' }
    : { label: 'Seen', tone: 'warn', glyph: 'alert' }
