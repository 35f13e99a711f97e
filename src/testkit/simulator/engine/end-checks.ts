import { isDeepStrictEqual } from 'node:util'
import { replay } from '../../../core/rollout/replay/replay.ts'
import type { Steps } from '../../../core/rollout/replay/trail.ts'
import { servingRouters } from '../../../core/rollout/router-in.ts'
import type { ServiceState } from '../../../core/rollout/state.ts'
import type { ReleaseRef } from '../../../core/rollout/view/view.ts'
import { waitingOnOf } from '../../../core/rollout/view/waiting.ts'
import { decodeStream } from '../../../engine/decode.ts'
import { ROLLOUT_DOCUMENT, RolloutRecord } from '../../../engine/record.ts'
import type { Store } from '../../../ports/store.ts'
import type { Book } from './book.ts'
import { weightsOf } from './router.ts'
import type { Universe } from './universe.ts'

/** Longer than any hold of the simulation. */
const FAR_MS = 60_000

/** Nothing is on its way any more: what there is may stay as it is. */
export function isAtRest(
  { rollout, queued, sets, traffic, epoch, finalizing, breaker, lightWatch }: ServiceState,
  now: number,
): boolean {
  const isOver = lightWatch === null && (rollout === null || rollout.phase.kind === 'ended')
  const isConfirmed =
    traffic.sequence === 0 ||
    (traffic.confirmed?.sequence === traffic.sequence && traffic.confirmed.epoch === epoch)
  // A set that is held or kept until a time that a wrong clock put far ahead stays where it is, without harm.
  const stays = (releaseAt: number | null): boolean => releaseAt === null || releaseAt > now + FAR_MS
  const isKept = (releaseAt: number | null): boolean => releaseAt !== null && stays(releaseAt)
  const isTidy = sets.every(
    ({ role, stage, releaseAt, assertedEpoch }) =>
      stage === 'wanted' &&
      ((role === 'stable' && assertedEpoch === epoch) ||
        (role === 'held' && stays(releaseAt)) ||
        (role === 'warm' && isKept(releaseAt))),
  )
  // A router that was left lets go, and ends what it has.
  const isMoved = traffic.left.length === 0 && traffic.former.length === 0
  return isOver && queued === null && isConfirmed && isMoved && isTidy && !finalizing && breaker === null
}

/** What it waits for, in words, or why that is unknown. */
export function describeWait(state: ServiceState, now: number): string {
  const { rollout, queued } = state
  if (rollout === null || rollout.phase.kind === 'ended')
    return `no rollout; queued ${queued?.id ?? 'nothing'}; sets ${state.sets.map(({ release, role, stage }) => `${release} ${role} ${stage}`).join(', ')}`
  const waiting = waitingOnOf(state, rollout, now)
  return `${rollout.id} ${rollout.phase.kind} at step ${rollout.stepIndex}, waits on ${JSON.stringify(waiting)}`
}

/** What must be true when everything is over and quiet. */
export async function endChecks(
  universe: Universe,
  { store, messagesAreDue }: { store: Store; messagesAreDue: boolean },
): Promise<void> {
  for (const book of universe.journal.books()) {
    await nothingIsLost(universe, book, store)
    await outcomesAreRecorded(universe, book, store)
    reportIsTrue(universe, book)
    everyRolloutEnded(universe, book)
    if (hasSignals(book)) decisionsAreRepeatable(universe, book)
  }
  const missing = messagesAreDue ? universe.inbox.missing() : []
  if (missing.length > 0)
    universe.violate(`${missing.length} messages never arrived, the first is ${missing[0]}`)
  for (const { running } of universe.machines.values()) {
    const probes = running?.controller.ports.probing() ?? 0
    if (probes > 0) universe.violate(`${probes} probes go on after the rollout`)
  }
}

/** Every event that was acknowledged is there, in order, and the stored state is nothing but their fold, which the book is. */
async function nothingIsLost({ violate }: Universe, book: Book, store: Store): Promise<void> {
  const stored = await store.events({ stream: book.stream, after: 0, limit: 1_000_000 })
  const loaded = await store.load(book.stream)
  if (stored.kind === 'failed' || loaded.kind === 'failed')
    return violate('the store cannot be read at the end')
  const written = book.events.map(({ event }) => event)
  const read = stored.value.map(({ event }) => event)
  if (!isSame(read, written))
    violate(`a committed event was lost: ${read.length} are stored, ${written.length} were acknowledged`)
  // Through text, as a store on disk has it: one in memory hands out the very object that was written.
  const row = loaded.value === null ? null : { ...loaded.value, state: plain(loaded.value.state) }
  const { stateRevision = stored.value.length } = row ?? {}
  const decoded = decodeStream(book.stream, row, stored.value.slice(stateRevision))
  if (decoded.kind === 'failed') return violate(`the state cannot be read: ${decoded.problem.message}`)
  if (!isSame(decoded.value.state, book.state)) violate('the stored state is not the fold of its events')
}

/** Whoever asks for a rollout by its id learns how it ended. */
async function outcomesAreRecorded({ violate }: Universe, { events }: Book, store: Store): Promise<void> {
  let current = ''
  for (const { event } of events) {
    if (event.kind === 'rollout-started') current = event.rollout.id
    if (event.kind !== 'outcome-reached' && event.kind !== 'queue-dropped') continue
    const [id, outcome] =
      event.kind === 'queue-dropped' ? [event.rollout, 'superseded'] : [current, event.outcome]
    const found = await store.getDocument(ROLLOUT_DOCUMENT, id)
    const record = found.kind === 'ok' ? RolloutRecord.safeParse(found.value?.body) : null
    if (record?.data?.view.outcome !== outcome)
      violate(`${id} ended as ${outcome}, its record says ${record?.data?.view.outcome}`)
  }
}

const hasSignals = ({ state }: Book): boolean => (state.rollout?.settings.analysis.metrics.length ?? 0) > 0

/** Whoever replays a rollout from its events alone comes to the same decisions, numbers and crossings. */
function decisionsAreRepeatable({ violate }: Universe, { events, state }: Book): void {
  const begins = events.flatMap(({ event }, index) =>
    event.kind === 'rollout-started' ? [{ event, index }] : [],
  )
  begins.forEach(({ event: { rollout }, index }, number) => {
    const last = state.rollout?.id === rollout.id ? state.rollout : null
    const own = events.slice(index, begins[number + 1]?.index).map(({ event }) => event)
    const { differences } = atOnce(
      replay(own, {
        rollout: rollout.id,
        stable: stableBefore(events.slice(0, index)),
        views: [],
        states: last?.checks ?? null,
        metrics: last?.metrics ?? null,
        resources: last?.resources ?? null,
      }),
    )
    const [first] = differences
    if (first !== undefined)
      violate(
        `${rollout.id} cannot be replayed: ${first.what}, recorded ${first.recorded}, recomputed ${first.recomputed}`,
      )
  })
}

/** What a plan was made beside may have been replaced before its rollout began. */
function stableBefore(events: Book['events']): ReleaseRef | null {
  const last = events.findLast(({ event }) => event.kind === 'stable-changed')?.event
  return last?.kind === 'stable-changed' ? { release: last.release, version: last.version } : null
}

function atOnce<T>(steps: Steps<T>): T {
  for (;;) {
    const { done, value } = steps.next()
    if (done === true) return value
  }
}

/** As JSON has it: what a store on disk cannot hold is no difference. */
const isSame = (a: unknown, b: unknown): boolean =>
  isDeepStrictEqual(a, b) || isDeepStrictEqual(plain(a), plain(b))
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

/** INV7: what is reported as confirmed is what the router and the target have. */
function reportIsTrue({ planes, target, violate }: Universe, { stream, state }: Book): void {
  const confirmed = state.traffic.confirmed?.weights ?? {}
  for (const name of servingRouters(state.traffic)) {
    const inForce = weightsOf(planes.of(name).router.entry(stream).sets)
    if (state.traffic.sequence > 0 && !isDeepStrictEqual(sorted(confirmed), sorted(inForce)))
      violate(
        `INV7: reported are ${JSON.stringify(confirmed)}, in force at ${name} are ${JSON.stringify(inForce)}`,
      )
  }
  const stray = planes.all.find(
    ({ name, router }) =>
      !servingRouters(state.traffic).includes(name) && router.entry(stream).sets.length > 0,
  )
  if (stray !== undefined) violate(`${stray.name} still sends requests, and does not serve any more`)
  for (const set of state.sets) {
    const seen = set.instances.filter(({ state }) => state === 'ready').map(({ id }) => id)
    const real = target
      .instances(stream)
      .filter(({ release, state }) => release === set.release && state === 'ready')
      .map(({ id }) => id)
    if (!isDeepStrictEqual(seen, real))
      violate(`INV7: of ${set.release} ${seen.join()} are said to be ready, ${real.join()} are`)
  }
  const living = target.instances(stream).filter(({ state }) => state !== 'gone')
  const left = living.find(({ release }) => !state.sets.some((set) => set.release === release))
  if (left !== undefined) violate(`${left.id} runs, and nobody knows of it`)
}

/** What was decided is what the router does, unless somebody else's weights are left alone. */
export function isInForce({ planes }: Universe, { stream, state }: Book): boolean {
  const decided = sorted(weightsOf(state.traffic.routes))
  return (
    state.drift?.held === true ||
    servingRouters(state.traffic).every((name) =>
      isDeepStrictEqual(decided, sorted(weightsOf(planes.of(name).router.entry(stream).sets))),
    )
  )
}

const sorted = (weights: Record<string, number>): unknown =>
  Object.entries(weights)
    .filter(([, weight]) => weight > 0)
    .sort()

/** INV8: whoever began or waited ended, once. */
function everyRolloutEnded({ violate }: Universe, { events }: Book): void {
  const open = new Set<string>()
  for (const { event } of events) {
    if (event.kind === 'rollout-queued' || event.kind === 'rollout-started') open.add(event.rollout.id)
    if (event.kind === 'queue-dropped') open.delete(event.rollout)
  }
  let current: string | null = null
  const ended = new Map<string, number>()
  for (const { event } of events) {
    if (event.kind === 'rollout-started') current = event.rollout.id
    if (event.kind === 'outcome-reached' && current !== null)
      ended.set(current, (ended.get(current) ?? 0) + 1)
  }
  for (const id of open) if (ended.get(id) !== 1) violate(`INV8: ${id} has ${ended.get(id) ?? 0} outcomes`)
}
