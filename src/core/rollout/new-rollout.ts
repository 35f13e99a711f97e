import { noRequests } from '../analysis/batch.ts'
import { checksOf } from '../analysis/check.ts'
import { newCheckState } from '../analysis/judge.ts'
import { noMinutes } from '../analysis/stable-minutes.ts'
import { noResources } from './judging/resource-state.ts'
import { NO_LOOKS } from './judging/stage-criteria.ts'
import { readyInstances } from './routing.ts'
import type { Snapshot } from './snapshot.ts'
import type { Exposure, QueuedRollout, RolloutState, ServiceState, StepProgress } from './state.ts'

/** A rollout in front of its first step. */
export function newRollout(queued: QueuedRollout, at: number, state: ServiceState): RolloutState {
  const { stable } = state
  const candidate = state.sets.find((set) => set.release === queued.plan.to.release)
  return {
    id: queued.id,
    order: queued.order,
    attempt: (state.attempts.find(({ release }) => release === queued.plan.to.release)?.count ?? 0) + 1,
    plan: {
      ...queued.plan,
      from: stable === null ? null : { release: stable.release, version: stable.version },
    },
    settings: queued.settings,
    actor: queued.actor,
    note: queued.note,
    startedAt: at,
    adoption: queued.adoption,
    phase: { kind: 'running', paused: null },
    stepIndex: 0,
    steps: queued.plan.steps.map(() => ({ ...NOT_BEGUN })),
    before: snapshotOf(state),
    checklist: [],
    reason: {
      code: 'DEPLOY_REQUESTED',
      message: `${queued.plan.to.version} was asked for`,
      evidence: {},
      actor: queued.actor,
    },
    cursor: null,
    checks: checksOf(queued.settings.analysis).map(newCheckState),
    baseline: queued.baseline,
    stableMinutes: noMinutes(queued.baseline?.boundMs ?? null),
    resources: noResources(),
    newErrors: { found: [], ranks: 0, more: 0 },
    namedChecks: [],
    metrics: [],
    ab: null,
    shadow: null,
    alerts: [],
    fineAtStep: {},
    stageLooks: NO_LOOKS,
    watchLooks: 0,
    atStep: emptyExposure(),
    total: emptyExposure(),
    loss: { probes: 0, probesLost: 0, requests: 0, unroutable: 0, closed: 0, cutOnDrain: 0 },
    fullPromotion: false,
    skipTo: null,
    heldSince: null,
    heldMs: 0,
    acknowledged: [],
    sourceFailures: null,
    trafficOffMs: null,
    problem: null,
    verified: [],
    crashesAtStart: candidate?.instances.reduce((sum, instance) => sum + instance.crashes, 0) ?? 0,
  }
}

export const NOT_BEGUN: StepProgress = { state: 'planned', startedAt: null, endedAt: null, by: null }

const snapshotOf = ({ stable, traffic, sets }: ServiceState): Snapshot => ({
  stable: stable === null ? null : { release: stable.release, version: stable.version },
  weights: traffic.confirmed?.weights ?? null,
  sets: sets.map((set) => {
    const { release, version, role, replicas: wanted } = set
    return { release, version, role, wanted, ready: readyInstances(set).length }
  }),
})

export const emptyExposure = (): Exposure => ({ candidate: noRequests(), stable: noRequests() })
