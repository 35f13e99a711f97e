import type { Release } from '../../release/release.ts'
import { formatDuration } from '../../shared/duration.ts'
import type { ChangeFacts } from './change-facts.ts'
import { byGravity, type Finding, levelOf } from './level.ts'
import type { RiskAssessment, RiskFactor } from './risk.ts'

/** A way back that takes longer makes everything worse by one level. */
export const LONGEST_WAY_BACK_MS = 5 * 60_000

export type BackFacts = {
  stable: Release | null
  release: Release
  changes: ChangeFacts | null
  /** All traffic moves at once, without stages. */
  allAtOnce: boolean
  /** Stable gives up instances on the way, so that going back starts them again. */
  shrinksStable: boolean
  /** Stable stops before anything else starts. */
  stopsFirst: boolean
  /** What the strategy may take, in ms. */
  budgetMs: number
  /** How long traffic took to be off a candidate, in earlier rollouts. */
  trafficOffMs: readonly number[]
}

/** Whether what is done can be undone. */
export function wayBackFactor(facts: BackFacts): RiskFactor {
  const findings = findingsOf(facts)
  return { name: 'way back', level: levelOf(findings), known: true, evidence: byGravity(findings) }
}

function findingsOf({
  stable,
  release,
  changes,
  allAtOnce,
  shrinksStable,
  stopsFirst,
}: BackFacts): Finding[] {
  if (stable === null)
    return [{ level: 'medium', text: 'There is nothing to go back to: it is the first release.' }]
  const findings: Finding[] = []
  const schema = changes?.declared.find(({ what }) => what === 'schema')
  if (schema !== undefined)
    findings.push({
      level: 'high',
      text: `Traffic goes back to ${stable.version}; the schema stays ${schema.to} until somebody brings ${schema.from} back.`,
    })
  if (stable.adopted)
    findings.push({
      level: 'high',
      text: `After the promotion there is no way back: the adopted process of ${stable.version} ends and has no artifact.`,
    })
  if (release.settings.rollback.onFailure === 'hold')
    findings.push({ level: 'medium', text: 'A failure waits for a person (rollback.onFailure: hold).' })
  if (allAtOnce)
    findings.push({
      level: 'medium',
      text: 'All users meet it at once: nothing is observed with few of them first.',
    })
  if (stopsFirst)
    findings.push({
      level: 'medium',
      text: `${stable.version} stops first: going back starts it again, and nobody is served meanwhile.`,
    })
  if (findings.length === 0)
    findings.push({
      level: 'low',
      text: shrinksStable
        ? `${stable.version} gives up instances on the way: going back starts them again, batch by batch.`
        : `${stable.version} stays ready at full size until the watch is over.`,
    })
  return findings
}

/** How long it takes until users are back on stable: the worst that was measured, else what the strategy may take. */
export function rollbackForecast({ stable, budgetMs, trafficOffMs }: BackFacts): RiskAssessment['rollback'] {
  if (stable === null)
    return { forecastMs: null, text: 'no way back: it is the first release', raises: false }
  const isMeasured = trafficOffMs.length > 0
  const forecastMs = isMeasured ? Math.max(...trafficOffMs) : budgetMs
  const raises = forecastMs > LONGEST_WAY_BACK_MS
  const source = isMeasured
    ? `the longest of the last ${trafficOffMs.length === 1 ? 'one' : trafficOffMs.length} that ${trafficOffMs.length === 1 ? 'was' : 'were'} measured`
    : 'the budget of the strategy; nothing was measured yet'
  const over = raises ? `, over ${formatDuration(LONGEST_WAY_BACK_MS)}: the level is one higher` : ''
  return { forecastMs, text: `${formatDuration(forecastMs)} (${source})${over}`, raises }
}
