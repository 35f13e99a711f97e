import type { ServiceState } from '../core/rollout/state.ts'
import type { Result } from '../core/shared/result.ts'
import { ok } from '../core/shared/result.ts'
import type { PruneRequest, Store } from '../ports/store.ts'
import { RELEASE_DOCUMENT } from './effects.ts'
import { ROLLOUT_DOCUMENT, ROLLOUT_SPAN_DOCUMENT, RolloutSpan } from './record.ts'
import { releasesInUse } from './retention.ts'

const DAY_MS = 24 * 3_600_000
/** A rollout that began within so many days stays, with all its events; so does a release. */
export const KEPT_DAYS = 90
/** So many rollouts of a service stay, however old: a service that is released twice a year has a history, too. */
export const KEPT_ROLLOUTS = 50
const KEPT_RELEASES = 200
/** Views read so many events when a service is taken over. */
const KEPT_EVENTS = 1000
const KEPT_MESSAGES_MS = 30 * DAY_MS
/** In one go, so that deciding is not held up; the next go takes what is left. */
const EVENTS_AT_ONCE = 20_000
const DOCUMENTS_AT_ONCE = 2000
const SPAN_LIMIT = 20_000
const RELEASE_LIMIT = 10_000

/** What of the past a service still needs. */
export type Needed = { rollouts: readonly string[]; releases: readonly string[] }

/** The rollout that goes on or was the last one, the one that waits, and every release that may be started or is blocked. */
export function neededBy(state: ServiceState): Needed {
  const { rollout, queued, blocks } = state
  return {
    rollouts: [...(rollout === null ? [] : [rollout.id]), ...(queued === null ? [] : [queued.id])],
    releases: [...releasesInUse(state), ...blocks.map(({ release }) => release)],
  }
}

export type HistoryParts = {
  store: Pick<Store, 'streams' | 'events' | 'listDocuments' | 'prune'>
  needed(stream: string): Promise<Result<Needed & { revision: number }>>
  /** Documents that only a person under way needs: plans to agree to, answers to requests that may come again. */
  passing: readonly { kind: string; afterMs: number }[]
  now: number
}
export type Forgotten = { events: number; messages: number; documents: number }

/**
 * Removes what is long over: rollouts and their events, releases that nothing can start any more, messages that were
 * settled. States, leases and messages that wait are never touched.
 */
export async function forgetOld(parts: HistoryParts): Promise<Result<Forgotten>> {
  const { store, now } = parts
  const streams = await store.streams()
  if (streams.kind === 'failed') return streams
  const services = new Map<string, Needed & { revision: number }>()
  for (const stream of streams.value) {
    const needed = await parts.needed(stream)
    // A state that cannot be read may need any of it.
    if (needed.kind === 'failed') return needed
    services.set(stream, needed.value)
  }
  const releases = new Set([...services.values()].flatMap((needed) => needed.releases))
  const request = { events: [], documents: [], settledBefore: now - KEPT_MESSAGES_MS }
  const requests: PruneRequest[] = [request]
  for (const [stream, needed] of services) {
    const old = await oldOf(parts, { stream, ...needed, releases })
    if (old.kind === 'failed') return old
    requests.push({ ...request, ...old.value })
  }
  const passing = await passed(parts)
  if (passing.kind === 'failed') return passing
  requests.push({ ...request, documents: passing.value })
  return pruneAll(store, requests)
}

/** A service at a time: each is a transaction, and others get their turn between them. */
async function pruneAll(
  store: Pick<Store, 'prune'>,
  requests: readonly PruneRequest[],
): Promise<Result<Forgotten>> {
  const sum = { events: 0, messages: 0, documents: 0 }
  for (const request of requests) {
    const pruned = await store.prune(request)
    if (pruned.kind === 'failed') return pruned
    sum.events += pruned.value.events
    sum.messages += pruned.value.messages
    sum.documents += pruned.value.documents
  }
  return ok(sum)
}

type Old = Pick<PruneRequest, 'events' | 'documents'>
type Service = {
  stream: string
  revision: number
  rollouts: readonly string[]
  releases: ReadonlySet<string>
}

async function oldOf({ store, now }: HistoryParts, service: Service): Promise<Result<Old>> {
  const { stream, revision, rollouts, releases } = service
  const spans = await store.listDocuments({ kind: ROLLOUT_SPAN_DOCUMENT, stream, limit: SPAN_LIMIT })
  if (spans.kind === 'failed') return spans
  const isOld = (at: number): boolean => now - at > KEPT_DAYS * DAY_MS
  const kept = spans.value.filter(
    ({ id, at }, newness) => newness < KEPT_ROLLOUTS || !isOld(at) || rollouts.includes(id),
  )
  const staying = new Set(kept)
  const gone = spans.value.filter((span) => !staying.has(span)).slice(-DOCUMENTS_AT_ONCE)
  const known = await store.listDocuments({ kind: RELEASE_DOCUMENT, stream, limit: RELEASE_LIMIT })
  if (known.kind === 'failed') return known
  const unused = known.value
    .filter(({ id, at }, newness) => newness >= KEPT_RELEASES && isOld(at) && !releases.has(id))
    .slice(-DOCUMENTS_AT_ONCE)
  const through = kept.length === 0 ? 0 : Math.min(firstOf(kept) - 1, revision - KEPT_EVENTS)
  const limited = await atOnce(store, { stream, through, isOld })
  if (limited.kind === 'failed') return limited
  return ok({
    events: limited.value > 0 ? [{ stream, through: limited.value }] : [],
    documents: [
      ...gone.flatMap(({ id }) => [ROLLOUT_DOCUMENT, ROLLOUT_SPAN_DOCUMENT].map((kind) => ({ kind, id }))),
      ...unused.map(({ id }) => ({ kind: RELEASE_DOCUMENT, id })),
    ],
  })
}

/** The first event of the oldest rollout that stays. One whose place cannot be read may begin anywhere. */
const firstOf = (spans: readonly { body: unknown }[]): number =>
  Math.min(...spans.map(({ body }) => RolloutSpan.safeParse(body).data?.firstSequence ?? 1))

async function atOnce(
  store: Pick<Store, 'events'>,
  { stream, through, isOld }: { stream: string; through: number; isOld(at: number): boolean },
): Promise<Result<number>> {
  if (through <= 0) return ok(0)
  const first = await store.events({ stream, after: 0, limit: 1 })
  if (first.kind === 'failed') return first
  const [event] = first.value
  const isGoing = event !== undefined && event.sequence <= through && isOld(event.at)
  return ok(isGoing ? Math.min(through, event.sequence + EVENTS_AT_ONCE - 1) : 0)
}

async function passed({
  store,
  passing,
  now,
}: HistoryParts): Promise<Result<{ kind: string; id: string }[]>> {
  const found: { kind: string; id: string }[] = []
  for (const { kind, afterMs } of passing) {
    const documents = await store.listDocuments({ kind, limit: DOCUMENTS_AT_ONCE })
    if (documents.kind === 'failed') return documents
    for (const { id, at } of documents.value) if (now - at > afterMs) found.push({ kind, id })
  }
  return ok(found)
}
