import * as z from 'zod'
import type { RollbackSettings } from '../release/settings.ts'
import { formatDuration } from '../shared/duration.ts'
import { Reason } from './reason.ts'

/** A rollback that nobody ordered. */
export const AutomaticRollback = z.object({
  at: z.number(),
  rollout: z.string(),
  version: z.string(),
  message: z.string(),
})
export type AutomaticRollback = z.infer<typeof AutomaticRollback>

/** Open: nothing new is deployed until a person closes it. `rollbacks` are those that opened it, oldest first. */
export const Breaker = z.object({
  openedAt: z.number(),
  rollbacks: z.array(AutomaticRollback),
  reason: Reason,
})
export type Breaker = z.infer<typeof Breaker>

/** As many as a breaker can be set to count. */
export const AUTOMATIC_ROLLBACKS_LIMIT = 20

/** The rollbacks that open the breaker, or `null` while they are too few. A clock that was set back makes none older. */
export function rollbacksThatOpen(
  rollbacks: readonly AutomaticRollback[],
  breaker: RollbackSettings['breaker'],
  now: number,
): AutomaticRollback[] | null {
  if (breaker === null) return null
  const recent = rollbacks.filter(({ at }) => now - at < breaker.withinMs)
  return recent.length >= breaker.count ? recent : null
}

/** `1.1.0 2h ago (error rate 7%), 1.2.0 5m ago (...)` */
export const rollbacksText = (rollbacks: readonly AutomaticRollback[], now: number): string =>
  rollbacks.map(({ version, at, message }) => `${version} ${ago(now - at)} (${message})`).join(', ')

const ago = (ms: number): string => `${formatDuration(Math.floor(Math.max(0, ms) / 1000) * 1000)} ago`
