import { RISK_LEVELS, type RiskLevel } from '../../release/risk-settings.ts'

const rank = (level: RiskLevel): number => RISK_LEVELS.indexOf(level)

/** The worst of them; `low` of none. */
export const worst = (levels: readonly RiskLevel[]): RiskLevel =>
  RISK_LEVELS[Math.max(0, ...levels.map(rank))] ?? 'low'

/** One worse; the worst stays. */
export const raised = (level: RiskLevel): RiskLevel =>
  RISK_LEVELS[Math.min(rank(level) + 1, RISK_LEVELS.length - 1)] ?? 'critical'

export const isAtLeast = (level: RiskLevel, limit: RiskLevel): boolean => rank(level) >= rank(limit)

/** A reason with the level that it stands for. */
export type Finding = { level: RiskLevel; text: string }

/** The level of a factor from its findings, the gravest first. */
export const levelOf = (findings: readonly Finding[]): RiskLevel => worst(findings.map(({ level }) => level))

export const byGravity = (findings: readonly Finding[]): string[] =>
  [...findings].sort((a, b) => rank(b.level) - rank(a.level)).map(({ text }) => text)
