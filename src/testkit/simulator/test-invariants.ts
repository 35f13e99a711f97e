import type { Event } from '../../core/rollout/event.ts'
import type { ServiceState } from '../../core/rollout/state.ts'
import { takesPart } from '../../core/shared/participants.ts'
import { fitsPattern } from '../../core/shared/pattern.ts'
import type { Participants, RequestMatch } from '../../core/shared/side-routes.ts'

type Person = Readonly<Record<string, string>>

/** One of each kind: who fits all conditions that are drawn, one of them, or none. */
const PEOPLE: readonly Person[] = [
  { 'x-country': 'de', plan: 'pro' },
  { 'x-country': 'at', plan: 'pro-2' },
  { 'x-country': 'de', plan: 'free' },
  { 'x-country': 'fr', plan: 'pro' },
  {},
]

/** Whoever the settings leave out of a test is left out by the routes, and nobody else is (S45). */
export function brokenTest(event: Event, { rollout }: ServiceState): string | null {
  if (event.kind !== 'routes-decided' || rollout?.settings.strategy.kind !== 'ab') return null
  const { sticky } = event.side
  if (sticky?.kind !== 'assign') return null
  const { where } = rollout.settings.strategy
  const wrong = PEOPLE.find(
    (person) => isMeant(where, person) !== takesPart(sticky.test?.where, (match) => fits(match, person)),
  )
  return wrong === undefined
    ? null
    : `the routes of a test ${isMeant(where, wrong) ? 'leave out' : 'take in'} ${JSON.stringify(wrong)}`
}

/** Counted by hand: the matches that fail must not be all of any group. */
function isMeant(where: Participants = [], person: Person): boolean {
  let failed = 0
  for (const group of where) {
    const misses = group.filter((match) => !fits(match, person)).length
    if (misses === group.length) failed += 1
  }
  return failed === 0
}

function fits(match: RequestMatch, person: Person): boolean {
  const value = person[match.name]
  if (value === undefined) return false
  return match.kind === 'exact' ? value === match.value : fitsPattern(match.pattern, value)
}
