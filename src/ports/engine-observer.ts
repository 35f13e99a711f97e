import type { Effect } from '../core/rollout/due.ts'
import type { ServiceState } from '../core/rollout/state.ts'
import type { Problem } from '../core/shared/problem.ts'
import type { RouterState } from '../core/shared/router-state.ts'
import type { Lease } from './store.ts'

/** Told what the engine does, for numbers and logs. It decides nothing, waits for nothing and never throws. */
export interface EngineObserver {
  leaseTaken(lease: Lease): void
  leaseLost(stream: string): void
  looked(look: Look): void
  performed(effect: PerformedEffect): void
}

export type Look = {
  stream: string
  /** How much later than planned it was begun. */
  lateMs: number
  tookMs: number
  /** What it found; `null` when the store gave no state, or took no decision. */
  seen: { state: ServiceState; routerState: RouterState | null } | null
}

export type PerformedEffect = {
  stream: string
  effect: Effect
  /** 1 for the first, more after failures of this same effect. */
  attempt: number
  tookMs: number
  /** Why it failed, or `null`. */
  problem: Problem | null
}
