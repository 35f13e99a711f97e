import type { Plan } from '../../core/plan/plan.ts'
import type { RiskLevel } from '../../core/release/risk-settings.ts'
import { continued, labelled, labelledText } from '../frame/label.ts'
import { type Line, type Look, quiet, span } from '../text/line.ts'
import { wrap } from '../text/width.ts'

const LOOK: Record<RiskLevel, Look> = { low: 'good', medium: 'plain', high: 'attention', critical: 'bad' }
const LABEL = 12

/** How much can go wrong, by what that was judged, and what strategy would fit. */
export function riskLines({ risk, recommendation }: Plan, columns: number): Line[] {
  return [...(risk === undefined ? [] : factorLines(risk, columns)), ...adviceLines(recommendation, columns)]
}

function factorLines(
  { level, sentence, factors, rollback }: NonNullable<Plan['risk']>,
  columns: number,
): Line[] {
  const room = Math.max(20, columns - LABEL - 2)
  return [
    labelled('risk', [span(sentence, LOOK[level])]),
    ...factors.flatMap((factor) => [
      continued([quiet(`${factor.name}: `), span(factor.level, LOOK[factor.level])]),
      ...factor.evidence.flatMap((text) => wrap(text, room).map((part) => continued([span(`  ${part}`)]))),
    ]),
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
