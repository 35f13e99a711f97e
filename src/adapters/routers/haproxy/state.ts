import type { InstanceTraffic, RouterState, ShownCertificate } from '../../../core/shared/router-state.ts'
import type { RouteInstance, RouteSet } from '../../../core/shared/routes.ts'
import { entryOf } from '../../tools/fenced-routes.ts'
import { drainReport, keyOf } from '../../tools/kept-drains.ts'
import type { Limited } from '../../tools/log-counts.ts'
import { rowsOf, type Sight } from './drains.ts'
import type { MapEntry } from './keys.ts'
import { previewOf, serverOf, slotOf } from './names.ts'
import { type KeptHere, type Placed, placedOf } from './own.ts'
import { isSentTo } from './servers.ts'
import { readTable } from './table.ts'

export type Look = {
  kept: KeptHere
  sight: Sight
  entries: readonly MapEntry[]
  /** What clients are shown; `null` without TLS, or while nobody has asked yet. */
  certificate: ShownCertificate | null
  /** What limits of the service turned away. */
  limited: Limited
  now: number
}

/** What is in force, told by HAProxy; the routes that are kept only give the names back to its hashes. */
export function stateOf(service: string, look: Look): RouterState {
  const { kept, sight, entries, certificate, limited } = look
  const placed = placedOf(kept, service)
  const table = readTable(entries)
  const { frontends, backends } = sight.current.stats
  const isThere = placed !== null && backends.includes(slotOf(service, 0))
  const preview = placed?.place.preview ?? null
  return {
    service,
    boot: `${sight.current.worker.pid}`,
    token: placed === null ? null : table.token,
    listening: isThere ? placed.place.listening : null,
    sets: placed === null ? [] : placed.routes.sets.map((set) => setOf(set, { placed, look })),
    ...(preview === null
      ? {}
      : { preview: { listening: frontends.includes(previewOf(service)) ? preview : null, problem: null } }),
    ...(certificate === null ? {} : { certificate }),
    instances: traffic(service, look),
    ...(table.closed === null ? {} : { closed: table.closed }),
    ...(hasLimits(placed) ? { limited } : {}),
    reverted: null,
  }
}

const hasLimits = (placed: Placed | null): boolean =>
  placed?.routes.limits?.requests !== undefined || placed?.routes.limits?.rate !== undefined

function setOf(set: RouteSet, { placed, look }: { placed: Placed; look: Look }): RouteSet {
  const { routes, place } = placed
  const backend = slotOf(routes.service, place.slots.indexOf(set.release))
  const instances = set.instances.flatMap((instance): RouteInstance[] => {
    const server = serverOf(set.release, instance)
    const row = look.sight.current.stats.servers.find((row) => row.backend === backend && row.name === server)
    // A server that drains is taken out once it is empty; one that should serve must be there, and lead there.
    if (row === undefined || !isSentTo(row, instance)) return instance.state === 'draining' ? [instance] : []
    return [{ ...instance, state: row.isUp ? 'active' : 'draining' }]
  })
  return { ...set, weightPermille: readTable(look.entries).permille.get(backend) ?? 0, instances }
}

function traffic(service: string, { kept, sight, now }: Look): InstanceTraffic[] {
  const drains = entryOf(kept.drains, service) ?? []
  const known = new Set(drains.map(({ release, instance }) => keyOf(release, instance)))
  const busy = (release: string, instance: Omit<RouteInstance, 'state'>): number =>
    rowsOf(sight, serverOf(release, instance)).reduce((sum, row) => sum + row.current, 0)
  const live = (entryOf(kept.services, service)?.sets ?? []).flatMap(({ release, instances }) =>
    instances
      .filter((instance) => !known.has(keyOf(release, instance)))
      .map((instance) => ({
        id: instance.id,
        release,
        inFlight: busy(release, instance),
        websockets: 0,
        drain: null,
      })),
  )
  const leaving = drains.map((drain) => ({
    id: drain.instance.id,
    release: drain.release,
    inFlight: drain.tookMs === null ? busy(drain.release, drain.instance) : 0,
    websockets: 0,
    drain: drainReport(drain, now),
  }))
  return [...live, ...leaving]
}
