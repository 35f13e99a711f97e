import { isIP } from 'node:net'
import type { ListenAddress } from '../../../core/shared/listen-address.ts'
import { ok, type Result } from '../../../core/shared/result.ts'
import type { RouteInstance } from '../../../core/shared/routes.ts'
import { addressText } from './address-text.ts'
import { serverWords } from './config-text.ts'
import { mapOf, serverOf, slotOf } from './names.ts'
import type { Placed } from './own.ts'
import { entriesOf, sameEntries } from './table.ts'
import type { ServerRow, Stats, Worker } from './worker.ts'

/** All servers of a release have the same; shares of releases are in the map. */
const EVEN_WEIGHT = 100

/**
 * Brings a worker to these routes, from whatever it has: what takes requests is there first, then all weights change at
 * once, then what leaves gets nothing new. Killed in the middle it is simply called again.
 */
export async function assertRoutes(worker: Worker, placed: Placed): Promise<Result<void>> {
  const stats = await worker.stats()
  if (stats.kind === 'failed') return stats
  const wanted = wantedServers(placed)
  const there = serversOf(placed, stats.value)
  for (const server of wanted) {
    const brought = await bringIn(worker, server, there.find(isAt(server)) ?? null)
    if (brought.kind === 'failed') return brought
  }
  const switched = await assertMap(worker, placed)
  if (switched.kind === 'failed') return switched
  for (const row of there) {
    if (!row.isUp || wanted.some((server) => isAt(server)(row))) continue
    const drained = await worker.setState(nameOf(row), 'drain')
    if (drained.kind === 'failed') return drained
  }
  return ok(undefined)
}

export async function assertMap(worker: Worker, placed: Placed): Promise<Result<void>> {
  const name = mapOf(placed.routes.service)
  const entries = entriesOf(placed)
  const current = await worker.map(name)
  if (current.kind === 'failed') return current
  return sameEntries(current.value, entries) ? ok(undefined) : await worker.swapMap(name, entries)
}

/** Can this worker be brought to these routes without a reload? */
export const hasRoomFor = ({ routes, place }: Placed, { backends }: Stats): boolean =>
  place.slots.every((_, slot) => backends.includes(slotOf(routes.service, slot)))

type Wanted = { release: string; backend: string; name: string; words: string; instance: RouteInstance }

export function wantedServers({ routes, place }: Placed): Wanted[] {
  return routes.sets.flatMap(({ release, instances }) =>
    instances
      .filter(({ state }) => state === 'active')
      .map((instance) => ({
        release,
        backend: slotOf(routes.service, place.slots.indexOf(release)),
        name: serverOf(release, instance),
        instance,
        words: `${addressText(instance)} ${serverWords(routes)}`,
      })),
  )
}

/** What a worker has in the backends of a service. */
export function serversOf({ routes, place }: Placed, { servers }: Stats): ServerRow[] {
  const backends = new Set(place.slots.map((_, slot) => slotOf(routes.service, slot)))
  return servers.filter(({ backend }) => backends.has(backend))
}

async function bringIn(worker: Worker, server: Wanted, row: ServerRow | null): Promise<Result<void>> {
  const name = nameOf(server)
  if (row === null) {
    const added = await worker.addServer(name, server.words)
    return added.kind === 'failed' ? added : await worker.setState(name, 'ready')
  }
  if (!isSentTo(row, server.instance)) {
    const moved = await worker.setAddress(name, server.instance)
    if (moved.kind === 'failed') return moved
  }
  if (row.weight !== EVEN_WEIGHT) {
    const weighed = await worker.setWeight(name, EVEN_WEIGHT)
    if (weighed.kind === 'failed') return weighed
  }
  return row.isUp && row.weight > 0 ? ok(undefined) : await worker.setState(name, 'ready')
}

/** By hand a server can be sent elsewhere. A name has more than one address, so only addresses are compared. */
export const isSentTo = ({ address }: ServerRow, instance: ListenAddress): boolean =>
  isIP(instance.host) === 0 || address === addressText(instance)

const nameOf = ({ backend, name }: { backend: string; name: string }): string => `${backend}/${name}`
const isAt =
  (server: Wanted) =>
  (row: ServerRow): boolean =>
    row.backend === server.backend && row.name === server.name
