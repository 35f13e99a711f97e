import type { HealthProbe } from '../core/shared/set-spec.ts'
import type { SetRecord } from './agent-state.ts'

/** For processes we did not start: they serve already, so one answer is enough, and nothing is known about their start. */
const ADOPTED_HEALTH = { intervalMs: 1000, timeoutMs: 2000, successes: 1, failures: 3, deadlineMs: 60_000 }
/** As long as the default drain of requests. */
const ADOPTED_STOP_GRACE_MS = 30_000

export function healthOf(set: SetRecord | undefined): HealthProbe {
  return set?.spec?.health ?? { ...ADOPTED_HEALTH, path: set?.adopted?.healthPath ?? '/' }
}

export const stopGraceMsOf = (set: SetRecord | undefined): number =>
  set?.spec?.stopGraceMs ?? ADOPTED_STOP_GRACE_MS
