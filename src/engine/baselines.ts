import {
  addToBaseline,
  Baseline,
  type BaselineFacts,
  factsOf,
  newBaseline,
} from '../core/analysis/baseline.ts'
import { batchBetween, type CountsCursor, cursorOf } from '../core/analysis/counts-cursor.ts'
import {
  presentOf,
  type UseBatch,
  type UseCursor,
  useBetween,
  useCursorOf,
} from '../core/analysis/resources/use-batch.ts'
import type { ServiceState } from '../core/rollout/state.ts'
import type { Observation } from '../core/shared/observation.ts'
import type { Result } from '../core/shared/result.ts'
import { ok } from '../core/shared/result.ts'
import type { Clock } from '../ports/clock.ts'
import type { RouterOf } from '../ports/router.ts'
import type { Store } from '../ports/store.ts'
import type { Target } from '../ports/target.ts'
import { countsOf } from './look-at-routers.ts'

export const BASELINE_DOCUMENT = 'baseline'
/** One minute of stable is one count of its spread. */
const RECORD_EVERY_MS = 60_000

const idOf = (stream: string, release: string): string => `${stream}/${release}`

/** What is known of a release from the time in which nothing was released; `null` when nothing is. */
export async function readBaseline(
  store: Pick<Store, 'getDocument'>,
  stream: string,
  release: string,
): Promise<Result<Baseline | null>> {
  const document = await store.getDocument(BASELINE_DOCUMENT, idOf(stream, release))
  if (document.kind === 'failed') return document
  // One of another shape is as good as none: a baseline makes evidence stronger and decides nothing.
  return ok(Baseline.safeParse(document.value?.body).data ?? null)
}

/** The facts of stable's baseline for a rollout that is about to be asked for. */
export async function baselineFacts(
  store: Pick<Store, 'getDocument'>,
  { stream, stable }: Pick<ServiceState, 'stream' | 'stable'>,
): Promise<BaselineFacts | null> {
  if (stable === null) return null
  const baseline = await readBaseline(store, stream, stable.release)
  return baseline.kind === 'failed' || baseline.value === null ? null : factsOf(baseline.value)
}

export type BaselineParts = {
  store: Pick<Store, 'getDocument' | 'putDocument'>
  routerOf: RouterOf
  target: Pick<Target, 'observe'>
  clock: Clock
}

/**
 * Once a minute, while nothing is released, what the stable release did since the last time is added to its baseline. What
 * cannot be read or written is left out: a gap makes the baseline shorter and nothing else.
 */
export function createBaselineRecorder({ store, routerOf, target, clock }: BaselineParts) {
  let last: { release: string; cursor: CountsCursor; use: UseCursor | null } | null = null
  let askedAt: number | null = null

  async function record(state: ServiceState, stable: NonNullable<ServiceState['stable']>): Promise<void> {
    const { stream } = state
    const [answer, seen] = await Promise.all([
      countsOf({ routerOf, clock }, stream, state),
      target.observe(stream),
    ])
    if (answer.kind !== 'samples') return
    const cursor = cursorOf(answer.counts, answer.at)
    const before = last
    const used = usedSince(state, before?.use ?? null, seen.kind === 'ok' ? seen.value : null)
    last = { release: stable.release, cursor, use: used.cursor }
    if (before?.release !== stable.release || cursor.at <= before.cursor.at) return
    const { candidate: counts } = batchBetween(before.cursor, cursor, {
      candidate: stable.release,
      stable: null,
    })
    const known = await readBaseline(store, stream, stable.release)
    if (known.kind === 'failed' || counts.requests === 0) return
    const span = { sinceAt: before.cursor.at, at: cursor.at, use: used.batch }
    const baseline = addToBaseline(known.value ?? newBaseline(stable, span.sinceAt), counts, span)
    const id = idOf(stream, stable.release)
    await store.putDocument({ kind: BASELINE_DOCUMENT, id, stream, at: cursor.at, body: baseline })
  }

  return {
    follow: async (state: ServiceState): Promise<void> => {
      const isReleasing = state.rollout !== null && state.rollout.phase.kind !== 'ended'
      if (isReleasing || state.stable === null) {
        last = null
        askedAt = null
        return
      }
      const now = clock.monotonic()
      if (askedAt !== null && now - askedAt < RECORD_EVERY_MS) return
      askedAt = now
      await record(state, state.stable)
    },
  }
}

/** What stable used since the last time; nothing where the target cannot tell. */
function usedSince(
  { stable, settings }: ServiceState,
  last: UseCursor | null,
  seen: Observation | null,
): { cursor: UseCursor | null; batch: UseBatch | null } {
  if (seen?.use === undefined || stable === null || settings === null) return { cursor: null, batch: null }
  const { use, boot } = seen
  const of = { candidate: stable.release, stable: null }
  const declared = settings.run.resources
  const cursor = useCursorOf({ ...use, boot }, use.measuredAt, of)
  const present = presentOf(use, of, { candidate: declared, stable: declared })
  return { cursor, batch: last === null ? null : useBetween(last, cursor, { of, present }) }
}
