import { pictureOf } from '../core/plan/picture/stretches.ts'
import type { Plan, PlannedStep } from '../core/plan/plan.ts'
import { continued, labelled, labelledText } from './frame/label.ts'
import { chartLines } from './plan/chart-lines.ts'
import { riskLines } from './plan/risk-lines.ts'
import { type Line, quiet, span, strong } from './text/line.ts'
import { plural } from './text/number.ts'
import { table } from './text/table.ts'
import { span as duration } from './text/time.ts'

/** Changed settings shown; the rest is counted. */
const CHANGES_SHOWN = 20

/** What deploying would do, for a person who has to say yes. */
export function planLines(plan: Plan, { columns }: { columns: number }): Line[] {
  if (plan.kind === 'none')
    return [
      [
        span('✓ ', 'good'),
        strong(`Nothing to do: ${plan.to.version} is what ${plan.service} runs in ${plan.environment}.`),
      ],
    ]
  return [
    [strong(titleOf(plan))],
    [quiet(`  plan ${plan.id}, ${plan.strategy}, ${plan.to.release}`)],
    ...(plan.because === '' ? [] : labelledText('way', plan.because, { columns })),
    ...(plan.to.image === undefined ? [] : labelledText('image', plan.to.image, { columns })),
    [],
    ...stepLines(plan.steps),
    [],
    ...(plan.besides ?? []).flatMap((text, index) =>
      labelledText(index === 0 ? 'besides' : '', text, { columns }),
    ),
    ...chartLines(plan, columns),
    [],
    ...wayBackLines(plan, columns),
    labelled('takes', [span(takesWords(plan))]),
    ...labelledText('peak', peakWords(plan), { columns }),
    ...routerLines(plan, columns),
    ...riskLines(plan, columns),
    ...changeLines(plan),
    ...plan.warnings.flatMap((warning) => labelledText('warning', warning, { columns, look: 'attention' })),
  ]
}

function routerLines({ router }: Plan, columns: number): Line[] {
  if (router === undefined) return []
  return [
    ...labelledText('router', router.text, { columns }),
    ...router.notes.flatMap((note) => labelledText('', note, { columns, look: 'quiet' })),
  ]
}

function titleOf({ kind, from, to, service, environment }: Plan): string {
  const where = `${service} in ${environment}`
  if (kind === 'first' || from === null) return `First release of ${where}: ${to.version}`
  return `${kind === 'rollback' ? 'Roll back' : 'Deploy'} ${where}: ${from.version} → ${to.version}`
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

function takesWords({ expectedMs }: Plan): string {
  if (expectedMs === null) return 'as long as the person takes who has to say so'
  return expectedMs < 1000 ? 'moments' : `about ${duration(expectedMs)} in all`
}

function changeLines({ changes, from }: Plan): Line[] {
  if (from === null) return []
  if (changes.length === 0) return [labelled('changes', [span('the version only; all settings stay')])]
  const shown = changes
    .slice(0, CHANGES_SHOWN)
    .map(({ path, from: before, to: after }) => `${path}: ${before ?? 'not set'} → ${after ?? 'not set'}`)
  const all =
    changes.length > CHANGES_SHOWN ? [...shown, `and ${changes.length - CHANGES_SHOWN} more`] : shown
  return all.map((text, index) => (index === 0 ? labelled('changes', [span(text)]) : continued([span(text)])))
}
