import type { Observed } from '../command.ts'
import type { Event, EventOf } from '../event.ts'
import type { RolloutState, ServiceState } from '../state.ts'
import type { AbState, ArmSeen } from './ab-state.ts'

/** Of the time of the test: so many points are plenty for a picture of two weeks. */
const LOOKS = 500
const LONGEST_MS = 60_000

/** What the data plane counted of the variants, when that is news. */
export function seeVariants({ rollout }: ServiceState, { metrics }: Observed, now: number): Event[] {
  const test = rollout === null ? null : testIn(rollout)
  if (rollout === null || test === null || metrics?.kind !== 'samples') return []
  const { boot, variants = [] } = metrics.counts
  const arms = variants
    .filter(({ salt }) => salt === rollout.id)
    .map(({ variant, users, goals }): ArmSeen => ({ variant, users, goals }))
  const { ab } = rollout
  if (arms.length === 0 || (ab?.boot === boot && JSON.stringify(ab.seen) === JSON.stringify(arms))) return []
  const everyMs = Math.max(rollout.settings.analysis.intervalMs, Math.min(LONGEST_MS, test.forMs / LOOKS))
  if (ab?.boot === boot && now >= ab.at && now - ab.at < everyMs) return []
  return [{ kind: 'variants-counted', at: now, boot, arms }]
}

/** A running test; after its decision nothing is counted any more. */
const testIn = ({ phase, settings }: RolloutState) =>
  phase.kind !== 'ended' && settings.strategy.kind === 'ab' ? settings.strategy : null

/** Adds what came since: a data plane that began anew counts from zero. */
export function countVariants(rollout: RolloutState, event: EventOf<'variants-counted'>): RolloutState {
  const { boot, arms: seen, at } = event
  const before = rollout.ab
  const known = before?.boot === boot ? before.seen : []
  const total = seen.map((arm) => added(armIn(before?.total, arm.variant), arm, armIn(known, arm.variant)))
  const rest = before?.total.filter(({ variant }) => !seen.some((arm) => arm.variant === variant)) ?? []
  const ab: AbState = {
    boot,
    at,
    seen: seen.map((arm) => furthest(arm, armIn(known, arm.variant))),
    total: [...total, ...rest],
  }
  return { ...rollout, ab }
}

/** An answer that comes late, with less than was known, must not make what is known already count again. */
const furthest = (a: ArmSeen, b: ArmSeen): ArmSeen => ({
  variant: a.variant,
  users: Math.max(a.users, b.users),
  goals: Math.max(a.goals, b.goals),
})

const armIn = (arms: readonly ArmSeen[] | undefined, variant: string | null): ArmSeen =>
  arms?.find((arm) => arm.variant === variant) ?? { variant, users: 0, goals: 0 }

const added = (total: ArmSeen, seen: ArmSeen, known: ArmSeen): ArmSeen => ({
  variant: seen.variant,
  users: total.users + Math.max(0, seen.users - known.users),
  goals: total.goals + Math.max(0, seen.goals - known.goals),
})
