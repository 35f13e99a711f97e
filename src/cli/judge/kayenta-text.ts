import type { Label } from '../../core/analysis/kayenta/classify.ts'
import type { KayentaJudgement, KayentaSide, KayentaVerdict } from '../../core/analysis/kayenta/judge.ts'
import { type Line, type Look, quiet, span, strong } from '../text/line.ts'
import { table } from '../text/table.ts'

const LOOK: Record<Label, Look> = {
  Pass: 'good',
  High: 'bad',
  Low: 'bad',
  Nodata: 'attention',
  NodataFailMetric: 'bad',
}
const VERDICT_LOOK: Record<KayentaVerdict, Look> = { Pass: 'good', Marginal: 'attention', Fail: 'bad' }

/** Score, groups, and a row for each metric with the reason of its label. */
export function kayentaLines(judgement: KayentaJudgement): Line[] {
  const { verdict, score, reason, thresholds, groups, metrics, notes } = judgement
  const rows = metrics.map((metric) => [
    metric.name,
    { text: `${metric.label}${metric.critical ? ' (critical)' : ''}`, look: LOOK[metric.label] },
    metric.groups.join(', '),
    meanOf(metric.control),
    meanOf(metric.experiment),
    metric.reason,
  ])
  return [
    [
      strong(`${verdict}: `),
      span(`score ${score}, pass ${thresholds.pass}, marginal ${thresholds.marginal}`, VERDICT_LOOK[verdict]),
    ],
    [span(reason)],
    ...groups.map(({ name, score: of, weight }) => [
      quiet(`group ${name}: score ${of ?? 'none'}, weight ${weight}`),
    ]),
    [],
    ...table(COLUMNS, rows),
    ...notes.map((note): Line => [quiet(note)]),
  ]
}

const COLUMNS = [
  { title: 'metric', maximum: 40 },
  { title: 'label' },
  { title: 'groups', maximum: 30 },
  { title: 'control', align: 'right' },
  { title: 'experiment', align: 'right' },
  { title: 'why' },
] as const

const meanOf = ({ mean, points }: KayentaSide): string =>
  mean === null ? 'no points' : `${mean.toPrecision(4)} (${points})`
