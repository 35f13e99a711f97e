import type { HealthProbe } from '../core/shared/set-spec.ts'
import type { SetRecord } from './agent-state.ts'

/** For processes we did not start: they serve already, so one answer is enough, and nothing is known about their start. */
const ADOPTED_HEALTH = { intervalMs: 1000, timeoutMs: 2000, successes: 1, failures: 3, deadlineMs: 60_000 }
/** As long as the default drain of requests. */
const ADOPTED_STOP_GRACE_MS = 30_000

export function healthOf(set: SetRecord | undefined): HealthProbe {
  const { check, healthPath = '/' } = set?.adopted ?? {}
  return (
    set?.spec?.health ?? { ...ADOPTED_HEALTH, ...(check === undefined ? { path: healthPath } : { check }) }
  )
}

export const stopGraceMsOf = (set: SetRecord | undefined): number =>
  set?.spec?.stopGraceMs ?? ADOPTED_STOP_GRACE_MS

/** How long an instance may boot, where that is asked by itself. */
export const startDeadlineMsOf = (set: SetRecord | undefined): number | null =>
  healthOf(set).start?.deadlineMs ?? null

/** What a worker is given before it is stopped; `null` where it is not told beforehand. */
export const graceMsOf = (set: SetRecord | undefined): number | null => set?.spec?.quiesce?.graceMs ?? null
