import type { Alert } from '../shared/alert.ts'
import type { ReleaseErrors } from '../shared/error-signature/report.ts'
import type { FreezeState } from '../shared/freeze.ts'
import type { Instance } from '../shared/instance.ts'
import type { Problem } from '../shared/problem.ts'
import type { SeenUse } from '../shared/resource-use.ts'
import type { RouterName } from '../shared/router-ability.ts'
import type { RouterState } from '../shared/router-state.ts'
import type { VerifyReport } from '../shared/verification.ts'
import type { SampledWindow } from './metrics/metric-state.ts'
import type { MetricAnswer } from './observation.ts'
import type { Actor } from './reason.ts'
import type { QueuedRollout } from './state.ts'

export type BlockedRelease = { release: string; version: string; digest: string }

/** What the engine is asked or told. An observation is a command like any other: nothing acts inside a callback. */
export type Command =
  /** The first look under this epoch, where it was there in time. */
  | { kind: 'controller-started'; epoch: number; observation?: Observed }
  /** `now` ends a running watch for it. Without `wait` it is refused where it could not begin at once. */
  | { kind: 'deploy'; rollout: QueuedRollout; now: boolean; wait: boolean }
  | { kind: 'freeze-seen'; seen: FreezeState }
  | { kind: 'promote'; full: boolean; actor: Actor; note: string }
  /** To the step with this share, ahead or back. */
  | { kind: 'jump'; weightPermille: number; actor: Actor; note: string }
  | { kind: 'pause'; actor: Actor; note: string }
  | { kind: 'resume'; actor: Actor; note: string }
  | { kind: 'abort'; actor: Actor; note: string }
  | { kind: 'rollback'; actor: Actor; note: string }
  | { kind: 'unadopt'; actor: Actor; note: string }
  /** `release` names a held one by release or version; `null` means the only one. */
  | { kind: 'discard'; release: string | null; actor: Actor; note: string }
  | { kind: 'block'; release: BlockedRelease; actor: Actor; note: string }
  /** `release` names a blocked one by release or version. */
  | { kind: 'unblock'; release: string; actor: Actor; note: string }
  | { kind: 'close-breaker'; actor: Actor; note: string }
  /** What a monitoring system says; `actor` is that system. */
  | { kind: 'hear-alerts'; alerts: readonly Alert[]; actor: Actor }
  /** What the light watch asked for, planned; without effect once somebody else has begun something. */
  | { kind: 'go-back'; rollout: QueuedRollout }
  /** With the epoch of the watch that looked: a look from before a new owner began says nothing to that one. */
  | { kind: 'observed'; observation: Observed; underEpoch?: number }
  /** What a provider answered about a declared metric, asked for this rollout under this epoch. */
  | { kind: 'metric-sampled'; underEpoch: number; rollout: string; metric: string; sample: SampledWindow }
  /** What the checks of a step said, made under this epoch. */
  | { kind: 'verified'; underEpoch: number; rollout: string; index: number; report: VerifyReport }
  | { kind: 'effect-failed'; effect: string; problem: Problem }
  /** `epoch`: the one in the token that the effect carried. */
  | { kind: 'effect-succeeded'; effect: string; epoch: number }

/** One look at the world. A part that could not be asked is a problem, never an empty answer. */
export type Observed = {
  instances:
    | {
        kind: 'seen'
        instances: Instance[]
        errors?: ReleaseErrors[] | undefined
        use?: SeenUse | undefined
        /** The highest sequence that the target had obeyed by then; absent where it does not tell. */
        obeyed?: number | undefined
      }
    | { kind: 'failed'; problem: Problem }
  router: SeenRouter
  /** The other routers that serve, in the order of the settings; absent where there is none. */
  also?: readonly { router: RouterName; seen: SeenRouter }[]
  /** Routers that served before, as far as they answered; absent where there is none. */
  former?: readonly { router: RouterName; state: RouterState }[]
  metrics: MetricAnswer | null
  freeze: { kind: 'seen'; state: FreezeState } | { kind: 'failed'; problem: Problem }
  /** Synthetic requests since the last look. */
  probes: { sent: number; lost: number }
}

export type SeenRouter = { kind: 'seen'; state: RouterState } | { kind: 'failed'; problem: Problem }
