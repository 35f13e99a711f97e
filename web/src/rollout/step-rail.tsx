import type { StepView } from '../../../src/core/rollout/view/view.ts'
import { formatDuration } from '../format/duration.ts'
import type { Glyph } from '../format/state.ts'
import { Icon } from '../parts/icon.tsx'
import { useNow } from '../parts/now.ts'

const MARK: Record<StepView['state'], { glyph: Glyph; word: string }> = {
  done: { glyph: 'check', word: 'done' },
  active: { glyph: 'play', word: 'in progress' },
  planned: { glyph: 'dot', word: 'planned' },
  skipped: { glyph: 'minus', word: 'skipped' },
}

/** All steps in order: where we are, how long each took and was meant to take. */
export function StepRail({ steps }: { steps: StepView[] }) {
  if (steps.length === 0) return null
  return (
    <ol className="step-rail" aria-label="Steps">
      {steps.map((step) => (
        <Step key={step.index} step={step} />
      ))}
    </ol>
  )
}

function Step({ step }: { step: StepView }) {
  const now = useNow()
  const { glyph, word } = MARK[step.state]
  return (
    <li className={`step is-${step.state}`} aria-current={step.state === 'active' ? 'step' : undefined}>
      <span className="step-bar" aria-hidden="true">
        <span className="step-bar-fill" style={{ width: `${progress(step, now) * 100}%` }} />
      </span>
      <span className="step-label">
        <Icon glyph={glyph} size={12} />
        <span>{step.label}</span>
        <span className="visually-hidden">, {word}</span>
      </span>
      <span className="step-times numbers">{times(step, now)}</span>
    </li>
  )
}

function progress(step: StepView, now: number): number {
  if (step.state === 'done') return 1
  if (step.state !== 'active' || step.startedAt === null) return 0
  if (step.plannedMs === null || step.plannedMs === 0) return 0.5
  return Math.min(1, Math.max(0.04, (now - step.startedAt) / step.plannedMs))
}

/** `4.2s of 10s`, `13s, planned 10s` for one that waits longer, `10s planned`, `skipped`. */
function times({ state, startedAt, endedAt, plannedMs }: StepView, now: number): string {
  if (state === 'skipped') return 'skipped'
  // A step that was never measured has no planned time; zero says the same.
  const planned = plannedMs === null || plannedMs === 0 ? null : formatDuration(plannedMs)
  if (startedAt === null) return planned === null ? '' : `${planned} planned`
  const tookMs =
    endedAt === null ? Math.max(0, Math.floor((now - startedAt) / 1000) * 1000) : endedAt - startedAt
  const took = formatDuration(tookMs)
  if (planned === null || plannedMs === null) return took
  return tookMs > plannedMs && took !== planned ? `${took}, planned ${planned}` : `${took} of ${planned}`
}
