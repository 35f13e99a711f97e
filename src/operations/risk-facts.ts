import type { Reach } from '../core/plan/risk/blast-radius.ts'
import type { Moment } from '../core/plan/risk/timing.ts'
import { environmentOf } from '../core/release/settings.ts'
import type { WaitingOn } from '../core/rollout/reason.ts'
import { breakerText } from '../core/rollout/refusal.ts'
import { runningRollout } from '../core/rollout/rollout-position.ts'
import type { ServiceState } from '../core/rollout/state.ts'
import { readBaseline } from '../engine/baselines.ts'
import { ROLLOUT_DOCUMENT, RolloutRecord } from '../engine/record.ts'
import type { OperationContext } from './context.ts'

type Context = Pick<OperationContext, 'store'>

/** Requests of the stable release as its baseline has them; `null` where nothing was recorded. */
export async function measuredReach(
  context: Context,
  { stream, stable }: Pick<ServiceState, 'stream' | 'stable'>,
): Promise<Reach['measured']> {
  if (stable === null) return null
  const baseline = await readBaseline(context.store, stream, stable.release)
  if (baseline.kind === 'failed' || baseline.value === null) return null
  const { counts, watchedMs, version } = baseline.value
  return watchedMs === 0 ? null : { requestsPerSecond: (1000 * counts.requests) / watchedMs, version }
}

type MomentInput = { state: ServiceState; release: string; held: WaitingOn | null; now: number }

/** What the moment is like at which a plan is made. */
export async function momentOf(
  context: Context,
  { state, release, held, now }: MomentInput,
): Promise<Moment> {
  const { rollback } = state.settings ?? {}
  const withinMs = rollback?.breaker?.withinMs ?? LATELY_MS
  const block = state.blocks.find((one) => one.release === release)
  return {
    held,
    breaker: breakerText(state, now),
    blocked: block?.reason.message ?? null,
    automaticRollbacks: state.automaticRollbacks.filter(({ at }) => now - at < withinMs).length,
    here: rolloutHere(state, release),
    elsewhere: await rolloutsElsewhere(context, state.stream),
  }
}

/** Where no breaker says what is of late. */
const LATELY_MS = 86_400_000
/** The newest ones: whatever is under way began not long ago, or is one of very many. */
const ROLLOUTS_LOOKED_AT = 50

function rolloutHere(state: ServiceState, release: string): string | null {
  const running = runningRollout(state)
  if (running === null || running.plan.to.release === release) return null
  return `A rollout of ${running.plan.to.version} is under way here.`
}

/** `billing 2.1.0` for each rollout of another service in the same environment that has not ended. */
async function rolloutsElsewhere({ store }: Context, stream: string): Promise<string[]> {
  const documents = await store.listDocuments({ kind: ROLLOUT_DOCUMENT, limit: ROLLOUTS_LOOKED_AT })
  if (documents.kind === 'failed') return []
  return documents.value.flatMap(({ body }) => {
    const view = RolloutRecord.safeParse(body).data?.view
    if (view === undefined || view.endedAt !== null || view.stream === stream) return []
    return view.environment === environmentOf(stream) ? [`${view.service} ${view.to.version}`] : []
  })
}
