import type { InstanceTraffic } from '../../../core/shared/router-state.ts'
import type { RouteInstance, ServiceRoutes } from '../../../core/shared/routes.ts'
import { drainReport, type KeptDrain, keyOf } from '../../tools/kept-drains.ts'
import { type Connection, connectionsOf, endpointOf } from './connections.ts'
import type { Worker } from './processes.ts'
import type { Look } from './program.ts'

export type LeavingWorker = { worker: Worker; connections: Connection[] }

/** What all workers hold at one moment, told apart by whether they still take new connections. */
export type Traffic = {
  taking: Connection[]
  leaving: LeavingWorker[]
  /** Requests that nginx has not answered yet, WebSockets among them; `null` where nobody could be asked. */
  busy: number | null
}

export async function trafficOf({ workers }: Look, busy: number | null): Promise<Traffic> {
  const byWorker = await connectionsOf(workers.map(({ pid }) => pid))
  const all = workers.map((worker) => ({ worker, connections: byWorker.get(worker.pid) ?? [] }))
  const taking = all.filter(({ worker }) => !worker.isLeaving).flatMap(({ connections }) => connections)
  return { taking, leaving: all.filter(({ worker }) => worker.isLeaving), busy }
}

type Known = { release: string; instance: Omit<RouteInstance, 'state'> }

/**
 * The instances of a service and those that drain. In old workers each connection to an instance is a request or a
 * WebSocket, since they keep no idle ones. In the others idle ones are kept for the next request, so there requests are at
 * most as many as nginx has under way at all.
 */
export function instancesOf(
  routes: ServiceRoutes | null,
  drains: readonly KeptDrain[],
  { traffic, now }: { traffic: Traffic; now: number },
): InstanceTraffic[] {
  const reports = new Map(
    drains.map((drain) => [keyOf(drain.release, drain.instance), drainReport(drain, now)]),
  )
  const known = new Map<string, Known>()
  for (const { release, instances } of routes?.sets ?? [])
    for (const instance of instances) known.set(keyOf(release, instance), { release, instance })
  for (const { release, instance } of drains) known.set(keyOf(release, instance), { release, instance })
  const old = traffic.leaving.flatMap(({ connections }) => connections)
  const mostBusy = busyIn(traffic, old)
  return [...known].map(([key, { release, instance }]) => {
    const endpoint = endpointOf(instance)
    const here = (connections: readonly Connection[], isLong: boolean): number =>
      connections.filter(({ remote, isKeptAlive }) => remote === endpoint && isKeptAlive === isLong).length
    return {
      id: instance.id,
      release,
      inFlight: here(old, false) + Math.min(here(traffic.taking, false), mostBusy),
      websockets: here(old, true) + here(traffic.taking, true),
      drain: reports.get(key) ?? null,
    }
  })
}

/** Requests of workers that take new ones, at most: in an old one each has two connections. */
function busyIn({ taking, busy }: Traffic, old: readonly Connection[]): number {
  if (busy === null) return Number.POSITIVE_INFINITY
  const websockets = taking.filter(({ isKeptAlive }) => isKeptAlive).length
  return Math.max(0, busy - websockets - Math.floor(old.length / 2))
}
