import { type ReactNode, useState } from 'react'
import type { RolloutEvidence } from '../../../src/core/rollout/replay/rollout-evidence.ts'
import type { CheckView, RolloutView } from '../../../src/core/rollout/view/view.ts'
import { toProblem } from '../api/call.ts'
import { useEvidence } from '../api/queries.ts'
import { formatNoun } from '../format/amount.ts'
import { asSentence } from '../format/sentence.ts'
import type { StateMark } from '../format/state.ts'
import { ProblemNotice } from '../parts/notice.tsx'
import { Panel } from '../parts/panel.tsx'
import { Pill } from '../parts/pill.tsx'
import { CheckEvidencePart } from './check-evidence.tsx'
import { EvidenceSummary } from './evidence-summary.tsx'

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
  report: 'Only shown',
  stage: 'Opens the next step',
  compare: 'Compared with stable',
}

/** One tile per check: both sides, the limit, how much it rests on, and the verdict; each opens to its evidence. */
export function ChecksPanel({ rollout }: { rollout: RolloutView }) {
  const { checks } = rollout
  const [isAsked, setAsked] = useState(false)
  const { data, error } = useEvidence(rollout, isAsked)
  const ask = () => setAsked(true)
  return (
    <Panel title="Checks" aside={summary(checks)}>
      {checks.length === 0 ? <p className="dim">No check has run in this step.</p> : null}
      <ul className="checks">
        {checks.map((check) => (
          <CheckTile key={check.name} check={check} evidence={data?.evidence} onOpen={ask} />
        ))}
      </ul>
      {error === null ? null : <ProblemNotice problem={toProblem(error)} />}
      {checks.length === 0 ? null : (
        <Opening title="Before and now, and what the checks do not say" onOpen={ask}>
          <EvidenceSummary evidence={data?.evidence} />
        </Opening>
      )}
    </Panel>
  )
}

function summary(checks: CheckView[]): string {
  const bad = checks.filter((check) => VERDICT[check.verdict].tone === 'bad').length
  if (checks.length === 0) return ''
  return bad > 0 ? `${bad} of ${checks.length} failing` : `${checks.length} checks, none failing`
}

type TileProps = { check: CheckView; evidence: RolloutEvidence | null | undefined; onOpen(): void }

function CheckTile({ check, evidence, onOpen }: TileProps) {
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
      {check.tier === 'stage' ? null : (
        <Opening title="Evidence" about={`for ${check.name}`} onOpen={onOpen}>
          <CheckEvidencePart evidence={evidence} name={check.name} />
        </Opening>
      )}
    </li>
  )
}

type OpeningProps = { title: string; about?: string; onOpen(): void; children: ReactNode }

/** Shut at first; what is inside is made when it is opened. */
function Opening({ title, about, onOpen, children }: OpeningProps) {
  const [isOpen, setOpen] = useState(false)
  return (
    <details
      className="opening"
      onToggle={({ currentTarget: { open } }) => {
        setOpen(open)
        if (open) onOpen()
      }}
    >
      <summary>
        {title}
        {about === undefined ? null : <span className="visually-hidden"> {about}</span>}
      </summary>
      {isOpen ? children : null}
    </details>
  )
}
