import { percent } from '../../core/analysis/criteria.ts'
import { badWords, sideText } from '../../core/analysis/evidence/chart.ts'
import type { BaselineTable, CheckEvidence } from '../../core/analysis/evidence/evidence.ts'
import type { RolloutEvidence } from '../../core/rollout/rollout-evidence.ts'
import { SPARK_VALUES, sparkAgainst } from '../frame/spark.ts'
import { fitLine, type Line, type Look, quiet, span, strong } from '../text/line.ts'
import { count, plural } from '../text/number.ts'
import { type Column, table } from '../text/table.ts'
import { clockTime } from '../text/time.ts'
import { pad, wrap } from '../text/width.ts'

const INDENT = 2
const NAMES = 14
/** Longer lines than this nobody follows with the eye. */
const WIDEST = 110
/** A smaller terminal than this is written as if it were so wide. */
const NARROWEST = 40

/** Sentence, a table of the facts for each check, what was before, and what all of it does not say. */
export function rolloutLines(evidence: RolloutEvidence, terminalColumns: number): Line[] {
  const columns = Math.max(NARROWEST, Math.min(WIDEST, terminalColumns))
  const { rollout, candidate, stable, batches } = evidence
  const beside = stable === null ? 'alone' : `beside ${stable}`
  return [
    ...wrap(evidence.sentence, columns).map((text): Line => [strong(text)]),
    [quiet(`${rollout}: ${candidate} ${beside}, ${plural(batches, 'batch', 'batches')}`)],
    ...evidence.checks.flatMap((check) => [[], ...checkLines(check, evidence, columns)]),
    [],
    ...baselineLines(evidence, columns),
    [],
    [strong('What this does not say')],
    ...evidence.unseen.flatMap((text) => bulleted(text, columns)),
  ]
}

const MARK: Record<CheckEvidence['verdict'], { text: string; look: Look }> = {
  worse: { text: '✗ worse', look: 'bad' },
  'not-worse': { text: '✓ not worse', look: 'good' },
  watching: { text: '· watching', look: 'quiet' },
  'no-data': { text: '· no data', look: 'quiet' },
}

function checkLines(check: CheckEvidence, { candidate, stable }: RolloutEvidence, columns: number): Line[] {
  const mark = MARK[check.verdict]
  const head: Line = [strong(check.name), span('  '), span(mark.text, mark.look)]
  const sides = [
    { name: candidate, value: sideText(check.candidate) },
    ...(stable === null ? [] : [{ name: stable, value: sideText(check.stable) }]),
  ]
  return [
    fitLine(head, columns),
    ...indented(check.sentence, columns),
    fitLine([span(' '.repeat(INDENT)), quiet(badWords(check).toLowerCase())], columns),
    ...facts([...sides, ...judged(check)], columns),
    ...curve(check, columns),
  ]
}

type Fact = { name: string; value: string }

function judged(check: CheckEvidence): Fact[] {
  const { logE, peakLogE, threshold, pValue, oneIn, looks, dispersion } = check
  const chance =
    peakLogE > 0 ? `; 1 in ${count(oneIn)} healthy rollouts would look this bad at some time` : ''
  const weaker =
    dispersion.evidence === 'weaker' ? `, weaker evidence from ${plural(dispersion.minutes, 'minute')}` : ''
  const crossing =
    check.crossedAt === null
      ? []
      : [
          {
            name: 'crossed',
            value: `with batch ${check.crossedAtBatch ?? '?'} at ${clockTime(check.crossedAt)} UTC`,
          },
        ]
  return [
    { name: 'limit', value: check.limit },
    {
      name: 'evidence',
      value: `${logE.toFixed(2)} now, ${peakLogE.toFixed(2)} at most; worse from ${threshold.toFixed(2)} on (logarithms), p ${pValue.toPrecision(2)}${chance}`,
    },
    ...crossing,
    ...atLeast(check),
    ...wouldPass(check),
    ...needed(check),
    {
      name: 'looks',
      value: `${count(looks)}, evidence divided by ${Number(dispersion.phi.toPrecision(3))}${weaker}`,
    },
  ]
}

function atLeast({ atLeast: { ratio, points, share } }: CheckEvidence): Fact[] {
  const parts = [
    ...(ratio !== null && ratio > 1 ? [`${Number(ratio.toPrecision(3))} times stable`] : []),
    ...(points !== null && points > 0 ? [`${Number(points.toPrecision(3))} points over stable`] : []),
    ...(share !== null && share > 0 ? [percent(100 * share)] : []),
  ]
  return parts.length === 0
    ? []
    : [{ name: 'at least', value: `${parts.join(', ')}, with the confidence of the check` }]
}

const wouldPass = ({ passing, verdict }: CheckEvidence): Fact[] =>
  passing === null
    ? []
    : [
        {
          name: 'would pass',
          value: `up to ${percent(100 * passing)} ${verdict === 'worse' ? 'instead' : 'with as many requests'}`,
        },
      ]

function needed({ verdict, needed: { what, toNotice, toRuleOut } }: CheckEvidence): Fact[] {
  if (verdict === 'worse') return []
  const parts = [
    ...(toNotice === null ? [] : [`about ${count(toNotice)} more requests to notice ${what}`]),
    ...(toRuleOut === null || toRuleOut === 0 ? [] : [`about ${count(toRuleOut)} to rule it out`]),
  ]
  return parts.length === 0 ? [] : [{ name: 'needed', value: parts.join(', ') }]
}

function curve({ points, threshold }: CheckEvidence, columns: number): Line[] {
  if (points.length < 2) return []
  const width = Math.min(2 * SPARK_VALUES, columns - INDENT - NAMES - 2)
  const bars = sparkAgainst(
    points.map(({ logE }) => logE),
    threshold,
    width,
  )
  return [[span(' '.repeat(INDENT)), quiet(pad('over time', NAMES)), span(`  ${bars}`)]]
}

function facts(all: readonly Fact[], columns: number): Line[] {
  return all.flatMap(({ name, value }) => {
    return wrap(value, columns - INDENT - NAMES - 2).map(
      (text, index): Line => [
        span(' '.repeat(INDENT)),
        quiet(pad(index === 0 ? name : '', NAMES)),
        span(`  ${text}`),
      ],
    )
  })
}

const indented = (text: string, columns: number): Line[] =>
  wrap(text, columns - INDENT).map((line): Line => [span(`${' '.repeat(INDENT)}${line}`)])

const bulleted = (text: string, columns: number): Line[] =>
  wrap(text, columns - INDENT).map((line, index): Line => [span(`${index === 0 ? '- ' : '  '}${line}`)])

function baselineLines({ baseline, candidate, stable }: RolloutEvidence, columns: number): Line[] {
  const rows = baseline.rows.map(({ metric, before, now, change, target, status }) => [
    metric,
    before,
    now,
    change,
    { text: status === 'none' ? '-' : `${status} ${target}`, look: STATUS_LOOK[status] },
  ])
  const before = baseline.before === 'recorded' ? 'before' : 'beside'
  const title =
    baseline.before === 'recorded'
      ? `${stable ?? 'stable'} before the rollout, and ${candidate}`
      : `${stable ?? 'stable'} beside it (nothing was recorded before), and ${candidate}`
  return [
    fitLine([strong(title)], columns),
    ...table(columnsOf(before), rows).map((line) => fitLine(line, columns)),
  ]
}

const STATUS_LOOK: Record<BaselineTable['rows'][number]['status'], Look> = {
  met: 'good',
  missed: 'attention',
  none: 'quiet',
}

const columnsOf = (before: string): Column[] => [
  { title: 'metric' },
  { title: before, align: 'right' },
  { title: 'now', align: 'right' },
  { title: 'change', align: 'right' },
  { title: 'health target' },
]
