import { pictureOf } from '../core/plan/picture/stretches.ts'
import type { Plan, PlannedStep } from '../core/plan/plan.ts'
import { labelledText } from './frame/label.ts'
import { chartLines } from './plan/chart-lines.ts'
import { headLines, restOfChanges } from './plan/head-lines.ts'
import { riskLines } from './plan/risk-lines.ts'
import { type Line, span, strong } from './text/line.ts'
import { plural } from './text/number.ts'
import { table } from './text/table.ts'
import { span as duration } from './text/time.ts'

/** Changed settings shown; the rest is counted. */
const CHANGES_SHOWN = 20

/** What deploying would do, for a person who has to say yes: first what matters, then all of it. */
export function planLines(plan: Plan, { columns }: { columns: number }): Line[] {
  if (plan.kind === 'none')
    return [
      [
        span('✓ ', 'good'),
        strong(`Nothing to do: ${plan.to.version} is what ${plan.service} runs in ${plan.environment}.`),
      ],
    ]
  const chart = chartLines(plan, columns)
  return [
    ...headLines(plan, columns),
    [],
    ...stepLines(plan.steps),
    [],
    ...(chart.length === 0 ? [] : [...chart, []]),
    ...wayBackLines(plan, columns),
    ...labelledText('peak', peakWords(plan), { columns }),
    ...(plan.because === '' ? [] : labelledText('way', plan.because, { columns })),
    ...(plan.to.image === undefined ? [] : labelledText('image', plan.to.image, { columns })),
    ...(plan.besides ?? []).flatMap((text, index) =>
      labelledText(index === 0 ? 'besides' : '', text, { columns }),
    ),
    ...routerLines(plan, columns),
    ...riskLines(plan, columns),
    ...changeLines(plan, columns),
    ...labelledText('plan', `${plan.id}, of ${plan.to.release}`, { columns, look: 'quiet' }),
  ]
}

function routerLines({ router }: Plan, columns: number): Line[] {
  if (router === undefined) return []
  return [
    ...labelledText('router', router.text, { columns }),
    ...router.notes.flatMap((note) => labelledText('', note, { columns, look: 'quiet' })),
  ]
}

function stepLines(steps: readonly PlannedStep[]): Line[] {
  const rows = steps.map(({ label, expectedMs, instances, capacityPercent }, index) => [
    `${index + 1}`,
    label,
    expectedMs === null
      ? 'until a person says so'
      : expectedMs < 1000
        ? 'at once'
        : `about ${duration(expectedMs)}`,
    `${instances.stable} + ${instances.candidate}`,
    capacityPercent === undefined || capacityPercent === null ? '' : `${capacityPercent}%`,
  ])
  const columns = [
    { title: '#', align: 'right' as const },
    { title: 'step' },
    { title: 'takes' },
    { title: 'old + new' },
    { title: 'capacity', align: 'right' as const },
  ]
  return table(columns, rows).map((line) => [span('  '), ...line])
}

/** Neighbouring steps often share their way back: it is told once for all of them, by the letter of the chart. */
function wayBackLines(plan: Plan, columns: number): Line[] {
  const { waysBack } = pictureOf(plan)
  return waysBack.flatMap(({ letter, from, to, text }, index) => {
    const which = from === to ? `from step ${from}` : `from steps ${from} to ${to}`
    const named = waysBack.length < 2 ? which : `${letter}, ${which}`
    return labelledText(index === 0 ? 'way back' : '', `${named}: ${text}`, { columns })
  })
}

function peakWords({ peakInstances, peak }: Plan): string {
  const count = `${plural(peakInstances, 'instance')} at the same time`
  if (peak === undefined) return count
  const share = peak.percent === null ? '' : `, ${peak.percent}% of stable`
  return `${count}${share}: ${peak.formula}`
}

function changeLines(plan: Plan, columns: number): Line[] {
  const texts = plan.from === null ? [] : restOfChanges(plan)
  const shown = texts.slice(0, CHANGES_SHOWN)
  const all = texts.length > CHANGES_SHOWN ? [...shown, `and ${texts.length - CHANGES_SHOWN} more`] : shown
  return all.flatMap((text, index) => labelledText(index === 0 ? 'changes' : '', text, { columns }))
}
