import { environmentOf } from '../core/release/settings.ts'
import type { Observed } from '../core/rollout/command.ts'
import { formerRouters } from '../core/rollout/former-router.ts'
import type { MetricAnswer } from '../core/rollout/observation.ts'
import { isWorkerService } from '../core/rollout/routing.ts'
import type { ServiceState } from '../core/rollout/state.ts'
import { stateTogether } from '../core/rollout/together.ts'
import type { Observation } from '../core/shared/observation.ts'
import type { RouterState } from '../core/shared/router-state.ts'
import type { Freezes } from '../ports/freezes.ts'
import type { ProbeRun } from '../ports/prober.ts'
import type { RouterOf } from '../ports/router.ts'
import type { Target } from '../ports/target.ts'
import { countsOf, type RouterParts, routerStates } from './look-at-routers.ts'

/** Steps in which every tenth of a second is somebody's waiting time. */
const EAGER_MS = 150
/** During a rollout an instance that dies must be seen at once. */
const ROLLOUT_MS = 250
const IDLE_MS = 1000

export type LookParts = RouterParts & { target: Target; freezes: Freezes }

/**
 * Looks in a second, for all streams together, that only wait for time or for something to break. With more streams than
 * this allows for, each is looked at less often, so that what is urgent elsewhere is not late.
 */
const LOOKS_PER_SECOND = 1000
/** However many there are. */
const LONGEST_MS = 10_000
/** A timer may end a little early; then the numbers would be too young and the evaluation would wait for the next look. */
const AFTER_MS = 5

/** One look at target, router and numbers, side by side. */
export async function look(
  parts: LookParts,
  stream: string,
  { state, probes, lightLook }: { state: ServiceState; probes: Observed['probes']; lightLook: boolean },
): Promise<{ observed: Observed; highestEpoch: number; routerState: RouterState | null }> {
  const { target, routerOf, freezes } = parts
  const measured = lightLook || (state.rollout !== null && state.rollout.phase.kind !== 'ended')
  const [instances, [first, ...also], counts, frozen, former] = await Promise.all([
    target.observe(stream),
    routerStates(parts, stream, state),
    measured && !isWorkerService(state) ? countsOf(parts, stream, state) : null,
    freezes.read(environmentOf(stream)),
    formerStates(routerOf, stream, state),
  ])
  const observed: Observed = {
    instances:
      instances.kind === 'ok' ? seen(instances.value) : { kind: 'failed', problem: instances.problem },
    router: first.seen,
    ...(also.length === 0 ? {} : { also }),
    ...(former.length === 0 ? {} : { former }),
    metrics:
      measured && instances.kind === 'ok' && isWorkerService(state)
        ? noTraffic(stream, instances.value.at)
        : counts,
    freeze:
      frozen.kind === 'ok'
        ? { kind: 'seen', state: frozen.value }
        : { kind: 'failed', problem: frozen.problem },
    probes,
  }
  const routerState = [first, ...also].flatMap(({ seen }) => (seen.kind === 'seen' ? [seen.state] : []))
  const epochs = [
    instances.kind === 'ok' ? instances.value.highestToken?.epoch : undefined,
    ...routerState.map(({ token }) => token?.epoch),
  ]
  return {
    observed,
    highestEpoch: Math.max(0, ...epochs.map((epoch) => epoch ?? 0)),
    routerState: stateTogether(routerState),
  }
}

/** Of the routers that served before, those that answer. */
async function formerStates(
  routerOf: RouterOf,
  stream: string,
  { traffic }: ServiceState,
): Promise<NonNullable<Observed['former']>> {
  const asked = formerRouters(traffic).map(async (router) => ({
    router,
    answer: await routerOf(router).router.readState(stream),
  }))
  const answers = await Promise.all(asked)
  return answers.flatMap(({ router, answer }) =>
    answer.kind === 'ok' ? [{ router, state: answer.value }] : [],
  )
}

/** Nobody counts requests to a worker; that it was looked at is a count all the same. */
const noTraffic = (service: string, at: number): MetricAnswer => ({
  kind: 'samples',
  at,
  counts: { service, boot: 'worker', releases: [], unroutable: 0, refused: 0 },
})

const seen = ({ instances, errors, use, boot, highestToken }: Observation): Observed['instances'] => ({
  kind: 'seen',
  instances,
  errors,
  use: use === undefined ? undefined : { ...use, boot },
  obeyed: highestToken?.sequence,
})

/** How soon to look again at a stream, when this many are looked after. */
export function lookAgainMs(state: ServiceState, { now, streams }: { now: number; streams: number }): number {
  const wished = wishedPauseMs(state)
  if (wished === EAGER_MS) return wished
  const affordable = Math.min(LONGEST_MS, (streams * 1000) / LOOKS_PER_SECOND)
  return wished >= affordable ? wished : Math.min(affordable, ...momentsAheadMs(state.rollout, now))
}

function wishedPauseMs(state: ServiceState): number {
  const { rollout } = state
  if (rollout === null || rollout.phase.kind === 'ended')
    return state.sets.some(({ stage, role }) => stage !== 'wanted' || role === 'retiring') ||
      state.traffic.former.length > 0
      ? ROLLOUT_MS
      : IDLE_MS
  const kind = rollout.plan.steps[rollout.stepIndex]?.step.kind
  const waitsForTime = kind === 'observe' || kind === 'watch'
  return rollout.phase.kind === 'running' && waitsForTime ? ROLLOUT_MS : EAGER_MS
}

/** How far ahead the next evaluation and the end of the step are: no look may be later than these. */
function momentsAheadMs(rollout: ServiceState['rollout'], now: number): number[] {
  if (rollout === null) return []
  const { cursor, settings, plan, steps, stepIndex } = rollout
  const step = plan.steps[stepIndex]?.step
  const startedAt = steps[stepIndex]?.startedAt ?? null
  const lasts = step?.kind === 'observe' || step?.kind === 'watch' ? step.durationMs : null
  return [
    ...(cursor === null ? [] : [cursor.at + settings.analysis.intervalMs]),
    ...(startedAt === null || lasts === null ? [] : [startedAt + lasts]),
  ]
    .map((moment) => moment - now + AFTER_MS)
    .filter((ahead) => ahead > 0)
}

/** What of the prober's totals has not been journalled yet. */
export function freshProbes(run: ProbeRun | null, journalled: Observed['probes']): Observed['probes'] {
  const totals = run?.totals() ?? { sent: 0, lost: 0 }
  return {
    sent: Math.max(0, totals.sent - journalled.sent),
    lost: Math.max(0, totals.lost - journalled.lost),
  }
}
