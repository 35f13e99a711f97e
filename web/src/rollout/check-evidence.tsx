import { evidenceChart } from '../../../src/core/analysis/evidence/chart.ts'
import type { Asking, CheckEvidence, ValueEvidence } from '../../../src/core/analysis/evidence/evidence.ts'
import { valueChart } from '../../../src/core/analysis/evidence/value-chart.ts'
import {
  answersText,
  atLeastText,
  chanceText,
  crossedText,
  digits,
  distanceText,
  looksText,
  NO_STATISTICS,
  neededText,
  passingText,
  sideText,
  valuesPassing,
} from '../../../src/core/analysis/evidence/words.ts'
import type { RolloutEvidence } from '../../../src/core/rollout/replay/rollout-evidence.ts'
import { Drawing } from '../chart/drawing.tsx'
import { formatDuration } from '../format/duration.ts'
import { formatClock, type Zone } from '../format/moment.ts'
import { capital } from '../format/sentence.ts'
import { useZone } from '../parts/zone.tsx'

type EvidenceProps = { evidence: RolloutEvidence | null | undefined; name: string }

/** What a verdict rests on: a drawing, and the figures to check it by. */
export function CheckEvidencePart({ evidence, name }: EvidenceProps) {
  const zone = useZone()
  if (evidence === undefined) return <div className="skeleton is-block" />
  const check = evidence?.checks.find((one) => one.name === name)
  const value = evidence?.values.find((one) => one.name === name)
  if (evidence !== null && value !== undefined) return <ValuePart value={value} evidence={evidence} />
  if (evidence?.resources.some((one) => one.name === name))
    return (
      <p className="dim">
        Limits of resources are judged by the last evaluations: the sentence is all there is.
      </p>
    )
  if (evidence?.resources.some((one) => one.name === name))
    return <p className="dim">A limit of resources has no statistics: it is kept or not, as it says above.</p>
  if (evidence === null || check === undefined) return <Nothing />
  if (check.points.length === 0)
    return (
      <>
        <Nothing />
        <Facts facts={askingFacts(check.asking, zone)} />
      </>
    )
  const { candidate, stable } = evidence
  return (
    <>
      <Drawing draw={(width) => evidenceChart(check, { width, candidate, stable })} />
      <Facts facts={factsOf(check, evidence, zone)} />
    </>
  )
}

function ValuePart({ value, evidence }: { value: ValueEvidence; evidence: RolloutEvidence }) {
  const zone = useZone()
  const { candidate, stable } = evidence
  return (
    <>
      {value.points.length === 0 ? (
        <Nothing />
      ) : (
        <Drawing draw={(width) => valueChart(value, { width, candidate, stable })} />
      )}
      <Facts facts={valueFacts(value, evidence, zone)} />
    </>
  )
}

const Nothing = () => <p className="dim">Nothing was counted for this check yet.</p>

type Fact = [title: string, value: string]

function Facts({ facts }: { facts: readonly Fact[] }) {
  return (
    <dl className="evidence-facts">
      {facts.map(([title, value]) => (
        <div key={title}>
          <dt>{title}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  )
}

function factsOf(check: CheckEvidence, { candidate, stable }: RolloutEvidence, zone: Zone): Fact[] {
  const { crossedAt, asking } = check
  return [
    [candidate, sideText(check, check.candidate)],
    ...fact(stable ?? '', stable === null ? null : sideText(check, check.stable)),
    ['Chance', chanceText(check)],
    ...fact(
      'Crossed',
      crossedAt === null ? null : `${crossedText(check)} at ${formatClock(crossedAt, zone)}`,
    ),
    ...fact('At least', atLeastText(check)),
    ...fact('Would pass', passingText(check)),
    ...fact('Needed', neededText(check)),
    ['Looks', looksText(check)],
    ...askingFacts(asking, zone),
  ]
}

function valueFacts(value: ValueEvidence, { candidate, stable }: RolloutEvidence, zone: Zone): Fact[] {
  const { warnedAt, criticalAt, points, asking } = value
  const last = points.at(-1)
  const reached = (at: ValueEvidence['warnedAt']): string | null =>
    at === null ? null : `window ${at.window} at ${formatClock(at.at, zone)}`
  return [
    ...fact(candidate, last === undefined ? null : digits(last.candidate)),
    ...fact(stable ?? 'Stable', last === undefined ? null : digits(last.stable)),
    ...fact('Distance', last === undefined ? null : distanceText(last.percent)),
    ['Evidence', capital(NO_STATISTICS)],
    ...fact('Warned', reached(warnedAt)),
    ...fact('Critical', reached(criticalAt)),
    ...fact('Would pass', valuesPassing(value)),
    ...askingFacts(asking, zone),
  ]
}

const fact = (title: string, value: string | null): Fact[] => (value === null ? [] : [[title, value]])

/** The question behind a declared metric, and how often it was answered. */
function askingFacts(asking: Asking | null, zone: Zone): Fact[] {
  if (asking === null) return []
  const { provider, asked, window } = asking
  const over =
    window === null
      ? ''
      : `, last over ${formatDuration(window.toMs - window.fromMs)} until ${formatClock(window.toMs, zone)}`
  return [
    ['Asked', `${provider}${over}: ${answersText(asking)}`],
    ...fact('Query', asked.length === 0 ? null : asked.join(' | ')),
  ]
}
