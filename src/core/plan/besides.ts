import { shareOf } from '../release/ab-settings.ts'
import type { ServiceSettings } from '../release/settings.ts'
import { copiedRequests } from '../release/shadow-settings.ts'
import type { AbSettings, ShadowSettings } from '../release/strategy-settings.ts'
import { formatDuration } from '../shared/duration.ts'
import { matchText, participantsText } from '../shared/request-match-text.ts'
import { formatWeight, TOTAL_PERMILLE } from '../shared/weight.ts'
import type { Step } from './plan.ts'

/** Who reaches the candidate besides those whom the weights send there, one sentence each. */
export function besidesOf({ strategy }: ServiceSettings): string[] {
  if (strategy.kind === 'ab') return abSentences(strategy)
  if (strategy.kind === 'shadow') return shadowSentences(strategy)
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

function abSentences({ by, where, variants, goal, forMs, atEnd }: AbSettings): string[] {
  const control = formatWeight(TOTAL_PERMILLE - shareOf(variants))
  const shares = [
    ...variants.map(({ name, sharePermille }) => `${name} ${formatWeight(sharePermille)}`),
    `control ${control}`,
  ]
  const unit = by.kind === 'own-cookie' ? 'a random id in a cookie' : `the ${by.kind} ${by.name}`
  const end = atEnd === 'ask' ? 'then a person decides' : 'then the candidate gets all traffic'
  return [
    ...(where === undefined
      ? []
      : [
          `Only users whose ${participantsText(where)} take part; everybody else stays with stable and is counted apart.`,
        ]),
    `Users are told apart by ${unit}: ${shares.join(', ')}. The candidate reads its variant in the header sluice-variant; stable is the control.`,
    `It compares how many users reach ${goal.method} ${goal.path} for ${formatDuration(forMs)}; ${end}.`,
  ]
}

function shadowSentences(strategy: ShadowSettings): string[] {
  const { sharePermille, bodies } = strategy
  const kinds = copiedRequests(strategy)
    .map(({ method, path }) => (path === '*' ? method : `${method} ${path}`))
    .join(', ')
  const compared = {
    off: 'status and latency',
    exact: 'status, latency and body',
    json: 'status, latency and body (JSON by its values)',
  }
  return [
    `${formatWeight(sharePermille)} of these requests are copied to the candidate while it has no traffic: ${kinds}. Users get stable's answer alone; the candidate reads sluice-shadow: 1.`,
    `Compared with what the user got: ${compared[bodies.kind]}. What the copies write is written: what is behind the candidate must bear that.`,
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
