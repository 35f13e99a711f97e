import type { Application, RiskLevel, RiskSettings } from '../../release/risk-settings.ts'
import type { StrategySettings } from '../../release/strategy-settings.ts'
import { formatDuration } from '../../shared/duration.ts'
import { type ChangeFacts, DECLARED } from '../risk/change-facts.ts'
import { isAtLeast } from '../risk/level.ts'
import type { Recommendation, RecommendedStrategy } from './recommendation.ts'

const MINUTE_MS = 60_000

/** How long an application may usually be away while it is released. */
export const USUAL_DOWNTIME_MS: Record<Application, number> = {
  'e-commerce': 0,
  banking: 0,
  internal: 5 * MINUTE_MS,
  batch: 30 * MINUTE_MS,
  static: 0,
  unknown: 0,
}

type Advice = { strategy: RecommendedStrategy; reason: string }
export type RecommendInput = {
  declared: RiskSettings
  risk: RiskLevel
  /** `null` for a first release. */
  changes: ChangeFacts | null
  strategy: StrategySettings
}

/**
 * The application decides where it is declared and its risk and downtime are those of its row; otherwise the type of change
 * does. An application of which nothing is known says canary, which is also what a change says that is neither large nor
 * small. Pure.
 */
export function recommend({ declared, risk, changes, strategy }: RecommendInput): Recommendation {
  const { application = 'unknown' } = declared
  const downtimeMs = declared.downtimeMs ?? USUAL_DOWNTIME_MS[application]
  const byApplication = adviceFor({ application, risk, downtimeMs })
  const chosen = byApplication ?? adviceByChange(changes)
  const used = nameOf(strategy)
  return {
    strategy: chosen.strategy,
    reasons:
      byApplication === null
        ? [applicationSaysNothing(application, risk, downtimeMs), chosen.reason]
        : [chosen.reason],
    used,
    differs: used !== chosen.strategy,
  }
}

type Row = { application: Application; risk: RiskLevel; downtimeMs: number }

/** `null` where the row of the application does not fit. */
function adviceFor(row: Row): Advice | null {
  const { application, risk, downtimeMs } = row
  const fits = (strategy: RecommendedStrategy, why: string): Advice => ({
    strategy,
    reason: `${rowText(row)}: ${why}.`,
  })
  const mayBeAway = (usual: Application): boolean => downtimeMs >= USUAL_DOWNTIME_MS[usual]
  switch (application) {
    case 'e-commerce':
      return isAtLeast(risk, 'high') && downtimeMs === 0
        ? fits(
            'blue-green',
            'a whole second set is shown to be good before one switch, and the way back is as short',
          )
        : null
    case 'banking':
      return risk === 'critical' && downtimeMs === 0
        ? fits(
            'blue-green then canary',
            'the second set is shown to be good first, and then few users meet it before all do',
          )
        : null
    case 'internal':
      return !isAtLeast(risk, 'high') && mayBeAway('internal')
        ? fits('rolling', 'instance by instance is enough, and needs no second set')
        : null
    case 'batch':
      return risk === 'low' && mayBeAway('batch')
        ? fits('rolling', 'instance by instance is enough, and needs no second set')
        : null
    case 'static':
      return fits(
        'blue-green',
        'what is served is whole in either version, so that one switch never mixes them',
      )
    case 'unknown':
      return null
  }
}

const rowText = ({ application, risk, downtimeMs }: Row): string =>
  application === 'static'
    ? 'A static site'
    : `${ARTICLE[application]}, ${risk} risk, ${downtimeMs === 0 ? 'no downtime' : `${formatDuration(downtimeMs)} of downtime tolerated`}`

const ARTICLE: Record<Application, string> = {
  'e-commerce': 'E-commerce',
  banking: 'Banking',
  internal: 'An internal application',
  batch: 'A batch application',
  static: 'A static site',
  unknown: 'An application of which nothing is declared',
}

function applicationSaysNothing(application: Application, risk: RiskLevel, downtimeMs: number): string {
  if (application === 'unknown')
    return 'Nothing is declared about the application (risk.application), which by itself means canary; so the type of change decides.'
  return `${rowText({ application, risk, downtimeMs })}: the application alone does not decide that, so the type of change does.`
}

function adviceByChange(changes: ChangeFacts | null): Advice {
  if (changes === null)
    return {
      strategy: 'canary',
      reason: 'A first release has no stages; for those that follow canary is the default.',
    }
  const { versions, declared, code } = changes
  const names = DECLARED.filter((what) => declared.some((one) => one.what === what))
  if (names.length > 0)
    return {
      strategy: 'blue-green',
      reason: `The release changes the ${listed(names)}: it is shown to be good as a whole before one switch.`,
    }
  const change = `${versions.from} → ${versions.to}`
  if (versions.step === 'major')
    return {
      strategy: 'blue-green',
      reason: `${change} is a major version: it is shown to be good as a whole before one switch.`,
    }
  if (!code)
    return { strategy: 'rolling', reason: 'Only the configuration changes: instance by instance is enough.' }
  if (versions.step === 'patch')
    return { strategy: 'rolling', reason: `${change} is a patch: instance by instance is enough.` }
  return {
    strategy: 'canary',
    reason: `${change} is neither a patch nor a major version: few users meet it first.`,
  }
}

const listed = (names: readonly string[]): string =>
  names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`

function nameOf(strategy: StrategySettings): string {
  if (strategy.kind === 'shadow') return strategy.steps.length > 1 ? 'shadow then canary' : 'shadow'
  if (strategy.kind !== 'blue-green') return strategy.kind
  return strategy.steps.length > 1 ? 'blue-green then canary' : 'blue-green'
}
