import type { ValueEvidence } from '../../core/analysis/evidence/evidence.ts'
import { digits, distanceText, NO_STATISTICS, valuesPassing } from '../../core/analysis/evidence/words.ts'
import type { RolloutEvidence } from '../../core/rollout/replay/rollout-evidence.ts'
import { SPARK_VALUES, sparkAgainst } from '../frame/spark.ts'
import { fitLine, type Line, type Look, quiet, span, strong } from '../text/line.ts'
import { clockTime } from '../text/time.ts'
import { pad } from '../text/width.ts'
import { askingFacts, type Fact, factLines, INDENT, indented, NAMES } from './fact-lines.ts'

/** The highest value is no full bar: that would mean that it reached something. */
const HEADROOM = 1.1

const MARK: Record<ValueEvidence['verdict'], { text: string; look: Look }> = {
  ok: { text: '✓ ok', look: 'good' },
  warning: { text: '! warning', look: 'attention' },
  critical: { text: '✗ critical', look: 'bad' },
  'no-data': { text: '· no data', look: 'quiet' },
  'provider-broken': { text: '! source broken', look: 'attention' },
}

/** A metric that is one number for each version: both curves and its limits, and that there is no evidence to it. */
export function valueLines(
  value: ValueEvidence,
  { candidate, stable }: Pick<RolloutEvidence, 'candidate' | 'stable'>,
  columns: number,
): Line[] {
  const mark = MARK[value.verdict]
  const last = value.points.at(-1)
  const versions = { candidate, stable: stable ?? 'stable' }
  const sides: Fact[] =
    last === undefined
      ? []
      : [
          { name: versions.candidate, value: digits(last.candidate) },
          { name: versions.stable, value: digits(last.stable) },
          {
            name: 'distance',
            value: distanceText(last.percent) ?? 'stable is at zero, and nothing can be a share of that',
          },
        ]
  return [
    fitLine([strong(value.name), span('  '), span(mark.text, mark.look)], columns),
    ...indented(value.sentence, columns),
    ...factLines([...sides, ...judged(value)], columns),
    ...curves(value, versions, columns),
  ]
}

function judged(value: ValueEvidence): Fact[] {
  const { limit, warnedAt, criticalAt, asking } = value
  const passing = valuesPassing(value)
  const reached = (name: string, at: ValueEvidence['warnedAt']): Fact[] =>
    at === null ? [] : [{ name, value: `with window ${at.window} at ${clockTime(at.at)} UTC` }]
  return [
    { name: 'limit', value: limit },
    { name: 'evidence', value: NO_STATISTICS },
    ...reached('warned', warnedAt),
    ...reached('critical', criticalAt),
    ...(passing === null ? [] : [{ name: 'would pass', value: `${passing} beside that value of stable` }]),
    ...askingFacts(asking),
  ]
}

/** Both from zero on and to the same height, so that they can be compared by eye. */
function curves(
  { points }: ValueEvidence,
  versions: Record<'candidate' | 'stable', string>,
  columns: number,
): Line[] {
  if (points.length < 2) return []
  const width = Math.min(2 * SPARK_VALUES, columns - INDENT - NAMES - 2)
  const top = Math.max(...points.flatMap(({ candidate, stable }) => [candidate, stable])) * HEADROOM
  if (top <= 0) return []
  return (['candidate', 'stable'] as const).map((of): Line => {
    const bars = sparkAgainst(
      points.map((point) => point[of]),
      top,
      width,
    )
    return [span(' '.repeat(INDENT)), quiet(pad(versions[of], NAMES)), span(`  ${bars}`)]
  })
}
