import { ok, type Result } from '../../../core/shared/result.ts'
import type { CutRequest } from '../../../core/shared/router-state.ts'
import { cutDrain, endedDrain, type KeptDrain } from '../../tools/kept-drains.ts'
import { serverOf } from './names.ts'
import { type KeptHere, placedIn } from './own.ts'
import { serversOf, wantedServers } from './servers.ts'
import type { ServerRow, Stats, Worker } from './worker.ts'

/** Everything that serves, with what it has. Workers of before a reload still finish requests. */
export type Sight = { current: Seen; old: Seen[] }
export type Seen = { worker: Worker; stats: Stats }

export const rowsOf = ({ current, old }: Sight, server: string): ServerRow[] =>
  [current, ...old].flatMap(({ stats }) => stats.servers.filter(({ name }) => name === server))

const inFlightAt = (sight: Sight, server: string): number =>
  rowsOf(sight, server).reduce((sum, row) => sum + row.current, 0)

/** One round over all drains: those that have ended, and those whose time is over. */
export async function tendDrains(
  kept: KeptHere,
  sight: Sight,
  now: number,
): Promise<Result<KeptHere['drains']>> {
  const drains: KeptHere['drains'] = {}
  const mayStillCome = await hasIdleConnections(sight)
  if (mayStillCome.kind === 'failed') return mayStillCome
  for (const [service, list] of Object.entries(kept.drains)) {
    const next: KeptDrain[] = []
    for (const drain of list) {
      const tended = await tend(drain, { sight, now, mayStillCome: mayStillCome.value })
      if (tended.kind === 'failed') return tended
      next.push(tended.value)
    }
    drains[service] = next
  }
  return ok(drains)
}

type Round = { sight: Sight; now: number; mayStillCome: boolean }

async function tend(drain: KeptDrain, { sight, now, mayStillCome }: Round): Promise<Result<KeptDrain>> {
  if (drain.tookMs !== null) return ok(drain)
  const server = serverOf(drain.release, drain.instance)
  const ageMs = now - drain.since
  if (inFlightAt(sight, server) === 0)
    return ok(mayStillCome && ageMs < drain.limits.requestsMs ? drain : endedDrain(drain, now))
  const { requestsMs, websocketsMs } = drain.limits
  if (ageMs < Math.min(requestsMs, websocketsMs)) return ok(drain)
  const isOver = (isTunnel: boolean): boolean => ageMs >= (isTunnel ? websocketsMs : requestsMs)
  const cut = await cutAt(sight, server, isOver)
  return cut.kind === 'failed' ? cut : ok(cutDrain(drain, cut.value))
}

async function cutAt(
  { current, old }: Sight,
  server: string,
  isOver: (isTunnel: boolean) => boolean,
): Promise<Result<CutRequest[]>> {
  const cut: CutRequest[] = []
  for (const { worker, stats } of [current, ...old]) {
    if (!stats.servers.some(({ name, current: busy }) => name === server && busy > 0)) continue
    const sessions = await worker.sessions()
    if (sessions.kind === 'failed') return sessions
    for (const { id, server: at, isTunnel, ageMs } of sessions.value) {
      if (at !== server || !isOver(isTunnel)) continue
      const ended = await worker.cut(id)
      if (ended.kind === 'failed') return ended
      if (ended.value) cut.push({ route: UNKNOWN_ROUTE, kind: isTunnel ? 'websocket' : 'request', ageMs })
    }
  }
  return ok(cut)
}

/** HAProxy does not tell the path of a request that is under way. */
const UNKNOWN_ROUTE = 'unknown'

/**
 * An idle connection to a worker of before a reload is served once more, by the routes of that time: until it is gone, an
 * instance of these routes may still be asked.
 */
async function hasIdleConnections({ old }: Sight): Promise<Result<boolean>> {
  for (const { worker } of old) {
    const [connections, sessions] = [await worker.connections(), await worker.sessions()]
    // It may have ended between the two questions.
    if (connections.kind === 'failed' || sessions.kind === 'failed') continue
    if (connections.value > sessions.value.length) return ok(true)
  }
  return ok(false)
}

/** Servers that nobody needs any more: not in the routes, nothing in flight, and no drain under way. */
export async function removeServers(kept: KeptHere, { current }: Sight): Promise<Result<void>> {
  const draining = new Set(
    Object.values(kept.drains).flatMap((list) =>
      list.flatMap(({ tookMs, release, instance }) => (tookMs === null ? [serverOf(release, instance)] : [])),
    ),
  )
  for (const placed of placedIn(kept)) {
    const wanted = wantedServers(placed)
    for (const { backend, name, isUp, current: busy } of serversOf(placed, current.stats)) {
      const isWanted = wanted.some((server) => server.backend === backend && server.name === name)
      if (isWanted || isUp || busy > 0 || draining.has(name)) continue
      const stopped = await current.worker.setState(`${backend}/${name}`, 'maint')
      if (stopped.kind === 'failed') return stopped
      // One that still has a connection is tried again in the next round.
      await current.worker.deleteServer(`${backend}/${name}`)
    }
  }
  return ok(undefined)
}

export const isDraining = (kept: KeptHere): boolean =>
  Object.values(kept.drains).some((list) => list.some(({ tookMs }) => tookMs === null))
