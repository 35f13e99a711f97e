import { setTimeout as pause } from 'node:timers/promises'
import type { ListenAddress } from '../../../core/shared/listen-address.ts'
import { ok, type Result } from '../../../core/shared/result.ts'
import type { Log } from '../../../ports/log.ts'
import { readPair } from '../../../tls/pair.ts'
import { fingerprintOf } from './config-text.ts'
import { writeFiles } from './files.ts'
import { previewOf, slotOf } from './names.ts'
import { type KeptHere, type Placed, placedIn, placedOf } from './own.ts'
import { isSame, probe } from './placement.ts'
import type { Program } from './program.ts'
import { assertMap, assertRoutes, hasRoomFor, serversOf, wantedServers } from './servers.ts'
import type { Stats, Worker } from './worker.ts'

export type Bringing = {
  folder: string
  program: Program
  log: Log
  /** The service that is asked for; `null`: all of them, as far as they can be had. */
  service: string | null
}

/**
 * HAProxy runs with what is kept, and this service, or each one when the worker is new to us, follows its routes. Every step
 * may be the last one before `kill -9`: the next call begins at the top and finds what is missing.
 */
export async function bringTo(kept: KeptHere, how: Bringing): Promise<Result<Worker>> {
  const worker = await workerFor(kept, how)
  if (worker.kind === 'failed') return worker
  const isNew = kept.own.assertedPid !== worker.value.pid
  for (const placed of placedIn(kept)) {
    if (!isNew && placed.routes.service !== how.service) continue
    const asserted = await assertWhereOpen(worker.value, placed)
    if (asserted.kind === 'failed') return asserted
    await tellOld(how.program, placed)
  }
  await writeFiles(how.folder, kept)
  return worker
}

/** A worker of the right structure: the one that runs, or a new one. */
async function workerFor(kept: KeptHere, how: Bringing): Promise<Result<Worker>> {
  const { program, service, folder } = how
  const current = await program.current()
  const description = current.kind === 'ok' ? await current.value.description() : null
  if (description?.kind === 'failed') return description
  if (current.kind === 'ok' && description?.value === fingerprintOf(kept)) return current
  // Whoever is connected now is served by this worker once more, so it must know the way as well.
  const placed = service === null ? null : placedOf(kept, service)
  if (current.kind === 'ok' && placed !== null) {
    const asserted = await assertWhereOpen(current.value, placed)
    if (asserted.kind === 'failed') return asserted
  }
  const stats = current.kind === 'ok' ? await current.value.stats() : null
  if (stats?.kind === 'failed') return stats
  const possible = await asFarAsPossible(kept, how, stats?.value ?? null)
  if (possible.kind === 'failed') return possible
  if (current.kind === 'ok' && description?.value === fingerprintOf(possible.value)) return current
  await writeFiles(folder, possible.value)
  return current.kind === 'ok' ? await program.reload() : await program.start()
}

/**
 * One address that is taken, or one certificate that cannot be read, would keep HAProxy from all others: whose it is, is left
 * out, and tried again at the next look. That of the service that is asked for is a failure.
 */
async function asFarAsPossible(
  kept: KeptHere,
  { service, log }: Bringing,
  stats: Stats | null,
): Promise<Result<KeptHere>> {
  const services = { ...kept.services }
  const places = { ...kept.own.places }
  const isServed = (name: string): boolean => stats?.backends.includes(slotOf(name, 0)) ?? false
  const open = placedIn(kept).filter(({ routes }) => isServed(routes.service))
  for (const { routes, place } of placedIn(kept)) {
    const name = routes.service
    const isOpen = open.some((other) => isSame(other.place.listening, place.listening))
    const live = isOpen ? ok(place.listening) : await freeSoon(place.listening)
    const isShown = stats?.frontends.includes(previewOf(name)) ?? false
    const preview = place.preview === null || isShown ? ok(place.preview) : await freeSoon(place.preview)
    // What is shown already is in the memory of HAProxy, which reads it anew with each reload and refuses that otherwise.
    const pair = place.tls === null || isServed(name) ? ok(null) : await readPair(place.tls)
    for (const one of [live, preview, pair]) {
      if (one.kind === 'ok') continue
      if (name === service) return one
      log.error('haproxy does not serve all of a service', { service: name, problem: one.problem })
    }
    if (live.kind === 'failed' || pair.kind === 'failed') delete services[name]
    if (preview.kind === 'failed') places[name] = { ...place, preview: null }
  }
  return ok({ ...kept, services, own: { ...kept.own, places } })
}

/** Workers of a master that was killed hold their addresses for a moment longer. */
const LETTING_GO_MS = 2_000
const RETRY_MS = 50

async function freeSoon(address: ListenAddress): Promise<Result<ListenAddress>> {
  const end = performance.now() + LETTING_GO_MS
  for (;;) {
    const free = await probe(address)
    if (free.kind === 'ok' || performance.now() > end) return free
    await pause(RETRY_MS)
  }
}

async function assertWhereOpen(worker: Worker, placed: Placed): Promise<Result<void>> {
  const stats = await worker.stats()
  if (stats.kind === 'failed') return stats
  return hasRoomFor(placed, stats.value) ? await assertRoutes(worker, placed) : ok(undefined)
}

/**
 * Workers of before a reload serve each idle connection once more. They can still be told where to, but not get new
 * servers: so only where each release with weight has one there.
 */
async function tellOld(program: Program, placed: Placed): Promise<void> {
  const old = await program.old()
  if (old.kind === 'failed') return
  for (const worker of old.value) {
    const stats = await worker.stats()
    if (stats.kind === 'failed' || !hasRoomFor(placed, stats.value)) continue
    const there = new Set(serversOf(placed, stats.value).map(({ backend, name }) => `${backend}/${name}`))
    const reached = new Set(
      wantedServers(placed).flatMap(({ backend, name, release }) =>
        there.has(`${backend}/${name}`) ? [release] : [],
      ),
    )
    const isReached = placed.routes.sets.every(
      ({ weightPermille, release }) => weightPermille === 0 || reached.has(release),
    )
    // It ends by itself, and may have done so just now: then nobody needs to be told.
    if (isReached) await assertMap(worker, placed)
  }
}

/** What HAProxy must be started or reloaded for before these routes can be in force. */
export async function needsStart(kept: KeptHere, program: Program): Promise<boolean> {
  const current = await program.current()
  if (current.kind === 'failed') return true
  const description = await current.value.description()
  return description.kind === 'failed' || description.value !== fingerprintOf(kept)
}
