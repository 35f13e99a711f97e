import { shareOf } from '../release/ab-settings.ts'
import type { AbSettings, ServiceSettings } from '../release/settings.ts'
import { formatDuration } from '../shared/duration.ts'
import { matchText } from '../shared/request-match-text.ts'
import { formatWeight, TOTAL_PERMILLE } from '../shared/weight.ts'
import type { Step } from './plan.ts'

/** Who reaches the candidate besides those whom the weights send there, one sentence each. */
export function besidesOf({ strategy }: ServiceSettings): string[] {
  if (strategy.kind === 'ab') return abSentences(strategy)
  if (strategy.kind !== 'canary' && strategy.kind !== 'blue-green') return []
  const { preview, routes = [] } = strategy
  const sticky = strategy.kind === 'canary' ? strategy.sticky : undefined
  return [
    ...(preview === undefined
      ? []
      : [
          `${preview.host}:${preview.port} shows the candidate once it has a ready instance; that is no live traffic.`,
        ]),
    ...routes.map(
      (match) =>
        `Requests whose ${matchText(match)} go to the candidate whatever its weight, and are counted apart.`,
    ),
    ...(sticky === undefined
      ? []
      : [
          `Users keep their version by the cookie ${sticky.cookie}, for ${formatDuration(sticky.forMs)}; new users keep to the share of the step.`,
        ]),
  ]
}

function abSentences({ by, variants, goal, forMs, atEnd }: AbSettings): string[] {
  const control = formatWeight(TOTAL_PERMILLE - shareOf(variants))
  const shares = [
    ...variants.map(({ name, sharePermille }) => `${name} ${formatWeight(sharePermille)}`),
    `control ${control}`,
  ]
  const unit = by.kind === 'own-cookie' ? 'a random id in a cookie' : `the ${by.kind} ${by.name}`
  const end = atEnd === 'ask' ? 'then a person decides' : 'then the candidate gets all traffic'
  return [
    `Users are told apart by ${unit}: ${shares.join(', ')}. The candidate reads its variant in the header sluice-variant; stable is the control.`,
    `It compares how many users reach ${goal.method} ${goal.path} for ${formatDuration(forMs)}; ${end}.`,
  ]
}

/** Cookies that run out before the steps end deal some users anew, also away from the candidate. */
export function stickyWarnings({ strategy }: ServiceSettings, steps: readonly Step[]): string[] {
  const sticky = strategy.kind === 'canary' ? strategy.sticky : undefined
  const stages = steps.flatMap((step) => (step.kind === 'observe' ? [step.durationMs] : []))
  if (sticky === undefined || stages.includes(null)) return []
  const totalMs = stages.reduce<number>((sum, ms) => sum + (ms ?? 0), 0)
  if (totalMs <= sticky.forMs) return []
  return [
    `Users keep their version for ${formatDuration(sticky.forMs)}, and the steps last ${formatDuration(totalMs)}: some are dealt anew on the way. Write a longer sticky.for.`,
  ]
}
