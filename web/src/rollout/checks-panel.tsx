import type { CheckView } from '../../../src/core/rollout/view.ts'
import { formatNoun } from '../format/amount.ts'
import { asSentence } from '../format/sentence.ts'
import type { StateMark } from '../format/state.ts'
import { Panel } from '../parts/panel.tsx'
import { Pill } from '../parts/pill.tsx'

const VERDICT: Record<CheckView['verdict'], StateMark> = {
  worse: { label: 'Worse', tone: 'bad', glyph: 'cross' },
  'not-worse': { label: 'Not worse', tone: 'good', glyph: 'check' },
  watching: { label: 'Watching', tone: 'accent', glyph: 'eye' },
  'no-data': { label: 'No data', tone: 'quiet', glyph: 'minus' },
  'provider-broken': { label: 'Source broken', tone: 'warn', glyph: 'alert' },
  ok: { label: 'OK', tone: 'good', glyph: 'check' },
  warning: { label: 'Warning', tone: 'warn', glyph: 'alert' },
  critical: { label: 'Critical', tone: 'bad', glyph: 'cross' },
}

const TIER: Record<CheckView['tier'], string> = {
  critical: 'Rolls back when worse',
  warning: 'Pauses when worse',
  stage: 'Opens the next step',
  compare: 'Compared with stable',
}

/** One tile per check: both sides, the limit, how much it rests on, and the verdict. */
export function ChecksPanel({ checks }: { checks: CheckView[] }) {
  return (
    <Panel title="Checks" aside={summary(checks)}>
      {checks.length === 0 ? <p className="dim">No check has run in this step.</p> : null}
      <ul className="checks">
        {checks.map((check) => (
          <CheckTile key={check.name} check={check} />
        ))}
      </ul>
    </Panel>
  )
}

function summary(checks: CheckView[]): string {
  const bad = checks.filter((check) => VERDICT[check.verdict].tone === 'bad').length
  if (checks.length === 0) return ''
  return bad > 0 ? `${bad} of ${checks.length} failing` : `${checks.length} checks, none failing`
}

function CheckTile({ check }: { check: CheckView }) {
  const mark = VERDICT[check.verdict]
  return (
    <li className={`check tone-edge-${mark.tone}`}>
      <header>
        <h3>{check.name}</h3>
        <Pill mark={mark} />
      </header>
      <dl className="check-values">
        <div>
          <dt>Candidate</dt>
          <dd className="is-main">{check.candidate}</dd>
        </div>
        <div>
          <dt>Stable</dt>
          <dd>{check.stable}</dd>
        </div>
        <div>
          <dt>Limit</dt>
          <dd>{check.threshold}</dd>
        </div>
      </dl>
      <p className="dim">{asSentence(check.sentence)}</p>
      <p className="check-foot dim">
        {TIER[check.tier]} · {formatNoun(check.samples, 'sample')}
      </p>
    </li>
  )
}
