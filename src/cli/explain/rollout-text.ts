import type { BaselineTable, CheckEvidence } from '../../core/analysis/evidence/evidence.ts'
import {
  atLeastText,
  chanceText,
  crossedText,
  looksText,
  neededText,
  passingText,
  sideText,
} from '../../core/analysis/evidence/words.ts'
import type { RolloutEvidence } from '../../core/rollout/replay/rollout-evidence.ts'
import { SPARK_VALUES, sparkAgainst } from '../frame/spark.ts'
import { fitLine, type Line, type Look, quiet, span, strong } from '../text/line.ts'
import { plural } from '../text/number.ts'
import { type Column, table } from '../text/table.ts'
import { clockTime } from '../text/time.ts'
import { pad, wrap } from '../text/width.ts'
import { askingFacts, type Fact, factLines, INDENT, indented, NAMES } from './fact-lines.ts'
import { valueLines } from './value-text.ts'

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
    ...evidence.values.flatMap((value) => [[], ...valueLines(value, evidence, columns)]),
    ...resourceLines(evidence, columns),
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
    { name: candidate, value: sideText(check, check.candidate) },
    ...(stable === null ? [] : [{ name: stable, value: sideText(check, check.stable) }]),
  ]
  return [
    fitLine(head, columns),
    ...indented(check.sentence, columns),
    fitLine([span(' '.repeat(INDENT)), quiet(whatIsCounted(check))], columns),
    ...factLines([...sides, ...judged(check)], columns),
    ...curve(check, columns),
  ]
}

/** Names of metrics keep their letters. */
const whatIsCounted = ({ about, counted }: CheckEvidence): string =>
  about === 'declared' ? counted : counted.toLowerCase()

function judged(check: CheckEvidence): Fact[] {
  const { logE, peakLogE, threshold, crossedAt, verdict, asking } = check
  const passing = passingText(check)
  return [
    { name: 'limit', value: check.limit },
    {
      name: 'evidence',
      value: `${logE.toFixed(2)} now, ${peakLogE.toFixed(2)} at most; worse from ${threshold.toFixed(2)} on (logarithms)`,
    },
    { name: 'chance', value: chanceText(check) },
    ...fact(
      'crossed',
      crossedAt === null ? null : `with ${crossedText(check)} at ${clockTime(crossedAt)} UTC`,
    ),
    ...fact('at least', atLeastText(check), ', with the confidence of the check'),
    ...fact('would pass', passing, verdict === 'worse' ? ' instead' : ' with as many'),
    ...fact('needed', neededText(check)),
    { name: 'looks', value: looksText(check) },
    ...(asking === null ? [] : askingFacts(asking)),
  ]
}

const fact = (name: string, value: string | null, more = ''): Fact[] =>
  value === null ? [] : [{ name, value: `${value}${more}` }]

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

const bulleted = (text: string, columns: number): Line[] =>
  wrap(text, columns - INDENT).map((line, index): Line => [span(`${index === 0 ? '- ' : '  '}${line}`)])

const RESOURCE_MARK: Record<string, { text: string; look: Look }> = {
  ok: { text: '✓ kept', look: 'good' },
  warning: { text: '✗ broken', look: 'bad' },
  critical: { text: '✗ broken', look: 'bad' },
  worse: { text: '✗ broken', look: 'bad' },
  watching: { text: '· watching', look: 'quiet' },
  'no-data': { text: '· no data', look: 'quiet' },
}

/** A limit of what instances use has no evidence over time: its sentence is all there is. */
const resourceLines = ({ resources }: RolloutEvidence, columns: number): Line[] =>
  resources.flatMap(({ name, verdict, sentence }) => {
    const { text, look } = RESOURCE_MARK[verdict] ?? { text: verdict, look: 'quiet' }
    return [
      [],
      fitLine([strong(name), span('  '), span(text, look)], columns),
      ...indented(sentence, columns),
    ]
  })

function baselineLines({ baseline, candidate, stable }: RolloutEvidence, columns: number): Line[] {
  const isRecorded = baseline.before === 'recorded'
  const rows = baseline.rows.map(({ metric, before, stable: beside, now, change, target, status }) => [
    metric,
    ...(isRecorded ? [before] : []),
    beside,
    now,
    change,
    {
      text: status === 'none' ? '-' : `${status.replace('-', ' ')} ${target}`,
      look: STATUS_LOOK[status],
    },
  ])
  const title = isRecorded
    ? `${stable ?? 'stable'} before the rollout and beside ${candidate}`
    : `${stable ?? 'stable'} beside ${candidate} (nothing was recorded before)`
  return [
    fitLine([strong(title)], columns),
    ...table(columnsOf(isRecorded), rows).map((line) => fitLine(line, columns)),
    ...baseline.notes.flatMap((note) => wrap(note, columns).map((text): Line => [quiet(text)])),
  ]
}

const STATUS_LOOK: Record<BaselineTable['rows'][number]['status'], Look> = {
  met: 'good',
  missed: 'attention',
  'not-known': 'quiet',
  none: 'quiet',
}

const columnsOf = (isRecorded: boolean): Column[] => [
  { title: 'metric' },
  ...(isRecorded ? [{ title: 'before', align: 'right' as const }] : []),
  { title: 'stable', align: 'right' },
  { title: 'candidate', align: 'right' },
  { title: 'change', align: 'right' },
  { title: 'health target' },
]
