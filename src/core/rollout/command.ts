import type { Instance } from '../shared/instance.ts'
import type { Problem } from '../shared/problem.ts'
import type { RouterState } from '../shared/router-state.ts'
import type { MetricAnswer } from './observation.ts'
import type { Actor } from './reason.ts'
import type { QueuedRollout } from './state.ts'

/** What the engine is asked or told. An observation is a command like any other: nothing acts inside a callback. */
export type Command =
  | { kind: 'controller-started'; epoch: number }
  | { kind: 'deploy'; rollout: QueuedRollout; now: boolean }
  | { kind: 'promote'; full: boolean; actor: Actor; note: string }
  | { kind: 'pause'; actor: Actor; note: string }
  | { kind: 'resume'; actor: Actor; note: string }
  | { kind: 'abort'; actor: Actor; note: string }
  | { kind: 'rollback'; actor: Actor; note: string }
  | { kind: 'unadopt'; actor: Actor; note: string }
  /** `release` names a held one by release or version; `null` means the only one. */
  | { kind: 'discard'; release: string | null; actor: Actor; note: string }
  | { kind: 'observed'; observation: Observed }
  | { kind: 'effect-failed'; effect: string; problem: Problem }
  /** `epoch`: the one in the token that the effect carried. */
  | { kind: 'effect-succeeded'; effect: string; epoch: number }

/** One look at the world. A part that could not be asked is a problem, never an empty answer. */
export type Observed = {
  instances: { kind: 'seen'; instances: Instance[] } | { kind: 'failed'; problem: Problem }
  router: { kind: 'seen'; state: RouterState } | { kind: 'failed'; problem: Problem }
  metrics: MetricAnswer | null
  /** Synthetic requests since the last look. */
  probes: { sent: number; lost: number }
}
