import type { RiskLevel, RiskSettings } from '../../release/risk-settings.ts'
import { byGravity, type Finding, levelOf } from './level.ts'
import type { RiskFactor } from './risk.ts'

/** What is known of those who would notice. */
export type Reach = {
  declared: RiskSettings
  /** Requests of the stable release, as its baseline has them; `null` where nothing was recorded. */
  measured: { requestsPerSecond: number; version: string } | null
  production: boolean
}

type Bound = readonly [from: number, level: RiskLevel]
const USERS: readonly Bound[] = [
  [1_000_000, 'critical'],
  [50_000, 'high'],
  [1000, 'medium'],
]
const REQUESTS_PER_SECOND: readonly Bound[] = [
  [2000, 'critical'],
  [100, 'high'],
  [1, 'medium'],
]
const DEPENDENTS: readonly Bound[] = [
  [3, 'high'],
  [1, 'medium'],
]

const at = (bounds: readonly Bound[], value: number): RiskLevel =>
  bounds.find(([from]) => value >= from)?.[1] ?? 'low'

/** Users, requests and services that a bad release would reach. */
export function blastRadius(reach: Reach): RiskFactor {
  const { users, dependents, criticality } = reach.declared
  const findings: Finding[] = []
  if (users !== undefined)
    findings.push({ level: at(USERS, users), text: `${grouped(users)} users, as declared.` })
  if (reach.measured !== null) findings.push(requestsFinding(reach.measured))
  if (dependents !== undefined) findings.push(dependentsFinding(dependents))
  if (criticality !== undefined) findings.push({ level: criticality, text: `Declared as ${criticality}.` })
  const isKnown = users !== undefined || reach.measured !== null
  if (!isKnown) findings.push(unknownReach(reach))
  return { name: 'blast radius', level: levelOf(findings), known: isKnown, evidence: byGravity(findings) }
}

function requestsFinding({ requestsPerSecond, version }: NonNullable<Reach['measured']>): Finding {
  const rate = requestsPerSecond < 10 ? requestsPerSecond.toFixed(1) : grouped(Math.round(requestsPerSecond))
  return {
    level: at(REQUESTS_PER_SECOND, requestsPerSecond),
    text: `${rate} requests a second, as measured with ${version}.`,
  }
}

const dependentsFinding = (dependents: readonly string[]): Finding => ({
  level: at(DEPENDENTS, dependents.length),
  text:
    dependents.length === 0
      ? 'No other service depends on it, as declared.'
      : `Other services depend on it, as declared: ${dependents.join(', ')}.`,
})

function unknownReach({ declared: { criticality }, production }: Reach): Finding {
  const level = criticality ?? (production ? 'medium' : 'low')
  const why = criticality === undefined ? (production ? ', being production' : '') : ', as the file declares'
  return {
    level,
    text: `Not known: its users. Nothing was measured yet, and risk.users is not in the file; it counts as ${level}${why}.`,
  }
}

const grouped = (value: number): string => value.toLocaleString('en-US')
