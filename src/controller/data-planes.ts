import { existsSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import path from 'node:path'
import { createBuiltinMetricSource } from '../adapters/metrics/builtin/metric.ts'
import { createProxyProgram } from '../adapters/routers/builtin/proxy-program.ts'
import { createBuiltinRouter } from '../adapters/routers/builtin/router.ts'
import { createHaproxy } from '../adapters/routers/haproxy/haproxy.ts'
import { createNginx } from '../adapters/routers/nginx/nginx.ts'
import { findProgram } from '../adapters/tools/find-program.ts'
import type { ServiceState } from '../core/rollout/state.ts'
import { summedCounts } from '../core/rollout/together.ts'
import type { Result } from '../core/shared/result.ts'
import type { RouterAbilities, RouterName } from '../core/shared/router-ability.ts'
import { countsOf } from '../engine/look-at-routers.ts'
import type { Log } from '../ports/log.ts'
import type { MetricSource } from '../ports/metric.ts'
import type { ProxyProgram } from '../ports/proxy.ts'
import type { DataPlane, RouterOf } from '../ports/router.ts'
import { VERSION } from '../telemetry/version.ts'
import { systemClock as clock } from './clock.ts'
import type { Folder } from './folder.ts'
import { programOf, startProgram } from './programs.ts'
import { keepProxyWorkers, proxyWorkersOf } from './proxy-workers.ts'

export type DataPlaneParts = {
  folder: Folder
  log: Log
  /** Counts what is asked of a source. */
  counted(source: MetricSource): MetricSource
  /** A router is asked for the first time: from now on it is kept alive. */
  onUse(name: RouterName, plane: DataPlane): void
}

export type DataPlanes = {
  of: RouterOf
  builtin: DataPlane
  abilitiesOf(name: RouterName): Promise<RouterAbilities>
  /** Lets go of those in use. Traffic goes on. */
  close(): Promise<void>
  /** Ends the programs of those in use, and of those that an earlier controller left running. */
  end(): Promise<void>
}

/** The routers of this machine, each made when something is asked of it. */
export function createDataPlanes(parts: DataPlaneParts): DataPlanes {
  const made = new Map<RouterName, DataPlane>()
  const inUse = new Set<RouterName>()
  const planeOf = (name: RouterName): DataPlane => {
    const known = made.get(name)
    if (known !== undefined) return known
    const plane = makePlane(name, parts)
    made.set(name, plane)
    return plane
  }
  return {
    builtin: planeOf('builtin'),
    of: (name) => {
      const plane = planeOf(name)
      if (!inUse.has(name)) {
        inUse.add(name)
        parts.onUse(name, plane)
      }
      return plane
    },
    abilitiesOf: (name) => planeOf(name).abilities(),
    close: async () => void (await Promise.all([...made.values()].map((plane) => plane.close()))),
    end: async () => void (await Promise.all(everUsed(parts.folder).map((name) => planeOf(name).end()))),
  }
}

const folderOf = (name: RouterName, folder: Folder): string => path.join(folder.root, name)

/** Programs of others that this folder has run, in this life of the controller or in one before. */
const everUsed = (folder: Folder): RouterName[] =>
  (['haproxy', 'nginx'] as const).filter((name) => existsSync(folderOf(name, folder)))

function makePlane(name: RouterName, { folder, log, counted }: DataPlaneParts): DataPlane {
  if (name === 'builtin') return builtinPlane(folder, counted)
  const options = { folder: folderOf(name, folder), log, now: clock.now }
  const plane = name === 'haproxy' ? createHaproxy(options) : createNginx(options)
  return { ...plane, counts: counted(plane.counts) }
}

function builtinPlane(folder: Folder, counted: DataPlaneParts['counted']): DataPlane {
  const socket = folder.sockets.proxy
  return {
    router: createBuiltinRouter({
      socket,
      startProxy: async () => startProgram('proxy', folder, ['--workers', `${proxyWorkersOf(folder)}`]),
    }),
    counts: counted(createBuiltinMetricSource({ socket, now: clock.now })),
    abilities: async () => BUILTIN,
    close: async () => undefined,
    // The proxy is ended by its pid, like the agent (`end-part.ts`).
    end: async () => undefined,
  }
}

const can = { can: true } as const
const BUILTIN: RouterAbilities = {
  router: 'builtin',
  version: VERSION,
  problem: null,
  features: {
    rules: can,
    sticky: can,
    variants: can,
    preview: can,
    mirror: can,
    'compare-bodies': can,
    'slow-start': can,
    closed: can,
    revert: can,
    tls: can,
    hosts: can,
    ejection: can,
    limits: can,
    rate: can,
    'fine-rate': can,
    'limited-copies': can,
    'access-log': can,
  },
  notes: [
    'A share is exact over each 1,000 requests, and a change is in force with the next one.',
    'Counters and latencies come from the proxy itself.',
  ],
}

/** The built-in proxy as a program, of this installation. */
export const proxyProgram = (folder: Folder): ProxyProgram =>
  createProxyProgram({
    socket: folder.sockets.proxy,
    program: programOf('proxy'),
    version: VERSION,
    kept: {
      read: () => proxyWorkersOf(folder),
      write: (workers) => keepProxyWorkers(folder, workers),
    },
    cores: availableParallelism(),
  })

type StateOf = (stream: string) => Promise<Result<{ state: ServiceState }>>

/** The counters of whoever serves a service now: for those who ask by the service alone. */
export const countsOfServing = (of: RouterOf, stateOf: StateOf): MetricSource => ({
  kind: 'serving',
  query: async (service) => {
    const found = await stateOf(service)
    if (found.kind === 'failed') return { kind: 'failure', at: clock.now(), problem: found.problem }
    const answer = await countsOf({ routerOf: of, clock }, service, found.value.state)
    return answer.kind === 'samples' ? { ...answer, counts: summedCounts(answer.counts) } : answer
  },
})

/** What `router: auto` means on this machine. */
export const findRouter = (): RouterName => (findProgram('haproxy') === null ? 'builtin' : 'haproxy')
