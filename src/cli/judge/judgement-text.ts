import { explainJudgement } from '../../core/analysis/sequential/explain.ts'
import type { Judgement } from '../../core/analysis/sequential/judge.ts'
import type { Verdict } from '../../core/analysis/sequential/state.ts'
import { sparkAgainst } from '../frame/spark.ts'
import { type Line, type Look, quiet, span, strong } from '../text/line.ts'
import { table } from '../text/table.ts'
import { wrap } from '../text/width.ts'

const LOOK: Record<Verdict, Look> = {
  worse: 'bad',
  'not-worse': 'good',
  watching: 'attention',
  'no-data': 'attention',
}

const MEANING: Record<Verdict, string> = {
  worse: 'the candidate is worse than stable, beyond what is tolerated',
  'not-worse': 'a rise that matters is ruled out',
  watching: 'the numbers do not decide it yet',
  'no-data': 'there is nothing to compare',
}

/** The verdict, a table of the evidence, and a sentence or two for each metric. */
export function judgementLines(verdict: Verdict, judgements: readonly Judgement[], columns: number): Line[] {
  const rows = judgements.map(({ metric, standing, series, crossedAtBatch }) => [
    metric.name,
    { text: standing.verdict, look: LOOK[standing.verdict] },
    standing.logEvalue.toFixed(2),
    standing.threshold.toFixed(2),
    standing.pValue.toPrecision(2),
    crossedAtBatch === null ? '-' : String(crossedAtBatch),
    sparkAgainst(series, standing.threshold),
  ])
  const sentences = judgements.flatMap((judgement) =>
    wrap(explainJudgement(judgement), columns).map((line) => [span(line)]),
  )
  return [
    [strong(`${verdict}: `), span(MEANING[verdict], LOOK[verdict])],
    [],
    ...table(COLUMNS, rows),
    [quiet('A full bar has reached the threshold.')],
    [],
    ...sentences,
  ]
}

const COLUMNS = [
  { title: 'metric', maximum: 30 },
  { title: 'verdict' },
  { title: 'log E', align: 'right' },
  { title: 'threshold', align: 'right' },
  { title: 'p', align: 'right' },
  { title: 'crossed', align: 'right' },
  { title: 'log E over batches' },
] as const
