import type { Plan } from '../../core/plan/plan.ts'
import type { RiskLevel } from '../../core/release/risk-settings.ts'
import { continued, labelled, labelledText } from '../frame/label.ts'
import { type Line, type Look, quiet, span } from '../text/line.ts'
import { wrap } from '../text/width.ts'

export const RISK_LOOK: Record<RiskLevel, Look> = {
  low: 'good',
  medium: 'plain',
  high: 'attention',
  critical: 'bad',
}
const LABEL = 12

/** By what the risk was judged, and what strategy would fit. The sentence on the whole stands in the head of the plan. */
export function riskLines({ risk, recommendation }: Plan, columns: number): Line[] {
  return [...(risk === undefined ? [] : factorLines(risk, columns)), ...adviceLines(recommendation, columns)]
}

function factorLines({ factors, rollback }: NonNullable<Plan['risk']>, columns: number): Line[] {
  const room = Math.max(20, columns - LABEL - 2)
  const lines = factors.flatMap((factor) => [
    [quiet(`${factor.name}: `), span(factor.level, RISK_LOOK[factor.level])],
    ...factor.evidence.flatMap((text) => wrap(text, room).map((part) => [span(`  ${part}`)])),
  ])
  return [
    ...lines.map((line, index) => (index === 0 ? labelled('factors', line) : continued(line))),
    ...wrap(`rollback forecast: ${rollback.text}`, room).map((part) => continued([quiet(part)])),
  ]
}

function adviceLines(advice: Plan['recommendation'], columns: number): Line[] {
  if (advice === undefined) return []
  const { strategy, reasons, used, differs } = advice
  const file = differs ? ` The file asks for ${used}, and the file wins.` : ' The file asks for the same.'
  return labelledText('fits', `${strategy}. ${reasons.join(' ')}${file}`, {
    columns,
    look: differs ? 'attention' : 'plain',
  })
}
