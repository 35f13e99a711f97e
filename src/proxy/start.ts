import { randomUUID } from 'node:crypto'
import type { Server } from 'node:net'
import type { Logger } from 'pino'
import { ProblemError } from '../core/shared/problem.ts'
import type { Control } from './control.ts'
import type { InheritedDoors } from './handover/inherited-doors.ts'
import { meetElder, type Succession } from './handover/succession.ts'
import { lockFolder } from './lock.ts'
import { loadRoutes, type RoutesFile, readRoutes } from './routes-file.ts'
import type { Table } from './table.ts'
import { WorkerRecords } from './workers/records.ts'

/** What a process begins with. */
export type Start = {
  lock: Server | null
  routes: RoutesFile
  damaged: string | null
  boot: string
  silentMs: number
  inherited: InheritedDoors | null
  succession: Succession | null
}

type Place = { folder: string; socket: string }

export async function startFresh({ folder, socket }: Place, log: Logger): Promise<Start> {
  const lock = await lockFolder(folder, socket)
  if (lock.kind === 'failed') throw new ProblemError(lock.problem)
  const orphans = await new WorkerRecords(folder).endOrphans()
  if (orphans.length > 0) log.warn({ orphans }, 'workers of a proxy that died hung, and were ended')
  const loaded = await loadRoutes(folder, new Date())
  return {
    ...loaded,
    lock: lock.value,
    boot: randomUUID(),
    silentMs: 0,
    inherited: null,
    succession: null,
  }
}

/** The one that serves has the lock until it is done, and nothing of its folder may be changed. */
export async function takeOver({ folder }: Pick<Place, 'folder'>): Promise<Start> {
  const succession = meetElder()
  const { boot, silentMs, inherited } = await succession.begin()
  const routes = await readRoutes(folder)
  if (routes.kind === 'failed') return await succession.fail(routes.problem)
  return {
    lock: succession.lock,
    routes: routes.value,
    damaged: null,
    boot,
    silentMs,
    inherited,
    succession,
  }
}

type Parts = { table: Table; control: Control; claim(): Promise<void> }

/** Takes what the other one hands over, and resolves when everything is ours. */
export async function succeed(succession: Succession, { table, control, claim }: Parts): Promise<void> {
  const elder = await succession.take()
  if (elder.kind === 'failed') return await succession.fail(elder.problem)
  // Nobody knows any more what was counted until now.
  if (elder.value === null) table.sight.boot = randomUUID()
  table.sight.elder = elder.value
  await control.hold(0)
  await control.listen()
  await claim()
  await succession.serve()
  control.goOn()
}
