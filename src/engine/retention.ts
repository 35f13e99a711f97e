import { Release } from '../core/release/release.ts'
import type { ServiceState } from '../core/rollout/state.ts'
import type { Result } from '../core/shared/result.ts'
import { ok } from '../core/shared/result.ts'
import type { Clock } from '../ports/clock.ts'
import type { Store } from '../ports/store.ts'
import type { Target } from '../ports/target.ts'
import { RELEASE_DOCUMENT } from './effects.ts'
import type { Engine } from './engine.ts'
import { createStreamLock } from './stream-lock.ts'

/** A release somebody prepared today may be deployed today, even when nothing names it yet. */
const YOUNG_MS = 24 * 3_600_000
/** More releases than this are not looked through for young ones; those in use are named by the states anyway. */
const RELEASE_LIMIT = 10_000
const LOCK = 'artifacts'

export type RetentionParts = { store: Store; engine: Engine; target: Target; clock: Clock }

/** Removes artifact copies that nothing can need any more. */
export interface Retention {
  /** Runs a task that makes an artifact and records its release; never at the same time as a removal. */
  preparing<T>(task: () => Promise<T>): Promise<T>
  /** Answers with the digests that were removed. */
  runOnce(): Promise<Result<string[]>>
  /** Never while a release is being prepared: it may be one that is known from long ago. */
  alone<T>(task: () => Promise<T>): Promise<T>
}

export function createRetention(parts: RetentionParts): Retention {
  const lock = createStreamLock()
  return {
    preparing: (task) => lock.run(LOCK, task),
    alone: (task) => lock.run(LOCK, task),
    runOnce: () => lock.run(LOCK, () => removeUnneeded(parts)),
  }
}

async function removeUnneeded({ store, engine, target, clock }: RetentionParts): Promise<Result<string[]>> {
  const streams = await store.streams()
  if (streams.kind === 'failed') return streams
  const states: ServiceState[] = []
  for (const stream of streams.value) {
    const loaded = await engine.load(stream)
    // A state that cannot be read may need any of them.
    if (loaded.kind === 'failed') return loaded
    states.push(loaded.value.state)
  }
  const documents = await store.listDocuments({ kind: RELEASE_DOCUMENT, limit: RELEASE_LIMIT })
  if (documents.kind === 'failed') return documents
  const releases = documents.value.flatMap(({ body }) => Release.safeParse(body).data ?? [])
  if (releases.length === 0) return ok([])
  return target.prune(digestsToKeep(states, releases, clock.now()))
}

/**
 * Artifacts of what runs, of stable, of every offered rollback target, of what is on its way or waits, and of releases
 * prepared within a day (INV4).
 */
export function digestsToKeep(
  states: readonly ServiceState[],
  releases: readonly Release[],
  now: number,
): string[] {
  const needed = new Set(states.flatMap(releasesInUse))
  const kept = releases.filter(({ id, createdAt }) => needed.has(id) || now - createdAt < YOUNG_MS)
  return [...new Set(kept.map(({ artifact }) => artifact.digest))]
}

/** Releases that a state may still have to start: what runs, what is offered, what is on its way or waits. */
export function releasesInUse({ stable, previous, sets, rollout, queued }: ServiceState): string[] {
  return [
    ...(stable === null ? [] : [stable.release]),
    ...previous.map(({ release }) => release),
    ...sets.map(({ release }) => release),
    ...(rollout === null ? [] : [rollout.plan.to.release]),
    ...(queued === null ? [] : [queued.plan.to.release]),
  ]
}
