import { evidenceChart, sideText } from '../../../src/core/analysis/evidence/chart.ts'
import type { CheckEvidence } from '../../../src/core/analysis/evidence/evidence.ts'
import type { RolloutEvidence } from '../../../src/core/rollout/rollout-evidence.ts'
import { Drawing } from '../chart/drawing.tsx'
import { formatClock, type Zone } from '../format/moment.ts'
import { useZone } from '../parts/zone.tsx'

type EvidenceProps = { evidence: RolloutEvidence | null | undefined; name: string }

/** What a verdict rests on: evidence over time, both error rates, and the figures to check it by. */
export function CheckEvidencePart({ evidence, name }: EvidenceProps) {
  const zone = useZone()
  if (evidence === undefined) return <div className="skeleton is-block" />
  const check = evidence?.checks.find((one) => one.name === name)
  if (evidence?.checks.length && check === undefined)
    return <p className="dim">Declared metrics have no chart: the sentence above holds their evidence.</p>
  if (evidence === null || check === undefined || check.points.length === 0)
    return <p className="dim">Nothing was counted for this check yet.</p>
  const { candidate, stable } = evidence
  return (
    <>
      <Drawing draw={(width) => evidenceChart(check, { width, candidate, stable })} />
      <dl className="evidence-facts">
        {factsOf(check, evidence, zone).map(([title, value]) => (
          <div key={title}>
            <dt>{title}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </>
  )
}

type Fact = [title: string, value: string]

function factsOf(check: CheckEvidence, { candidate, stable }: RolloutEvidence, zone: Zone): Fact[] {
  const { peakLogE, oneIn, pValue, crossedAt, crossedAtBatch, dispersion, looks } = check
  const facts: (Fact | null)[] = [
    [candidate, sideText(check.candidate)],
    stable === null ? null : [stable, sideText(check.stable)],
    [
      'Chance',
      peakLogE > 0
        ? `p ${pValue.toPrecision(2)}: 1 in ${oneIn.toLocaleString('en-US')} healthy rollouts would look this bad at some time`
        : 'nothing speaks against it',
    ],
    crossedAt === null
      ? null
      : ['Crossed', `batch ${crossedAtBatch ?? '?'} at ${formatClock(crossedAt, zone)}`],
    atLeast(check),
    check.passing === null ? null : ['Would pass', `up to ${shareText(check.passing)}`],
    needed(check),
    [
      'Looks',
      `${looks}, evidence divided by ${Number(dispersion.phi.toPrecision(3))}${dispersion.evidence === 'weaker' ? ' (weaker evidence)' : ''}`,
    ],
  ]
  return facts.filter((fact) => fact !== null)
}

function atLeast({ atLeast: { ratio, points, share } }: CheckEvidence): Fact | null {
  const parts = [
    ...(ratio !== null && ratio > 1 ? [`${Number(ratio.toPrecision(3))} times stable`] : []),
    ...(points !== null && points > 0 ? [`${Number(points.toPrecision(3))} points over stable`] : []),
    ...(share !== null && share > 0 ? [shareText(share)] : []),
  ]
  return parts.length === 0 ? null : ['At least', parts.join(', ')]
}

function needed({ verdict, needed: { what, toNotice } }: CheckEvidence): Fact | null {
  if (verdict === 'worse' || toNotice === null) return null
  return ['Needed', `about ${toNotice.toLocaleString('en-US')} more requests to notice ${what}`]
}

const shareText = (share: number): string => `${Number((100 * share).toPrecision(3))}%`
