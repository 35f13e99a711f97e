import type { RiskLevel } from '../../release/risk-settings.ts'
import { blastRadius, type Reach } from './blast-radius.ts'
import { raised, worst } from './level.ts'
import type { RiskAssessment, RiskFactor } from './risk.ts'
import { scopeOfChange } from './scope.ts'
import { type Moment, timing } from './timing.ts'
import { type BackFacts, rollbackForecast, wayBackFactor } from './way-back-risk.ts'

export type RiskFacts = { back: BackFacts; reach: Reach; moment: Moment }

/**
 * The level is that of the worst factor, and one higher when the way back is expected to take over five minutes. So a factor
 * that gets worse never lowers the level. Pure.
 */
export function assessRisk({ back, reach, moment }: RiskFacts): RiskAssessment {
  const factors = [scopeOfChange(back.changes), blastRadius(reach), wayBackFactor(back), timing(moment)]
  const rollback = rollbackForecast(back)
  const highest = worst(factors.map(({ level }) => level))
  const level = rollback.raises ? raised(highest) : highest
  return { level, sentence: sentenceOf(level, highest, factors), factors, rollback }
}

function sentenceOf(level: RiskLevel, highest: RiskLevel, factors: readonly RiskFactor[]): string {
  if (level === 'low') return 'Low risk: no factor is higher.'
  const names = factors.filter((factor) => factor.level === highest).map(({ name }) => name)
  const because = highest === 'low' ? '' : ` by ${names.join(' and ')}`
  const also = level === highest ? '' : `${because === '' ? ' by' : ', one higher for'} a long way back`
  return `${level.charAt(0).toUpperCase()}${level.slice(1)} risk${because}${also}.`
}
