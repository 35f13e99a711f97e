import { join } from 'node:path'
import * as z from 'zod'
import { findProgram } from '../../scripts/testbed/programs.ts'
import type { DockerStand } from '../kit/docker.ts'
import type { LoadKind } from '../kit/load-process.ts'
import { type Cost, type PhasedLoad, startPhasedLoad } from '../kit/phased-load.ts'
import { freePort, until } from '../kit/processes.ts'
import { type ServiceStatus, type Stage, setStage } from '../kit/stage.ts'
import type { Cell, Strategy } from './cells.ts'
import { countInstances, lastRequestAt } from './instances.ts'
import { makeJobFolders, startJobs, WORKER } from './jobs/jobs.ts'
import { type Living, livingContainers, livingProcesses } from './living.ts'
import { startTesters } from './testers.ts'

export const RATE_PER_SECOND = 300
/** Percent of the requests that are slow uploads: about one is always under way. */
const UPLOAD_SHARE = 0.15
/** The same for all lines and peers. */
export const LOAD: LoadKind = { ratePerSecond: RATE_PER_SECOND, uploads: UPLOAD_SHARE, sendAgain: true }
const SETTLE_LIMIT_MS = 60_000
/** `sluice plan` found something to do, or that it cannot be done. */
const [CHANGES, REFUSED] = [3, 13]

/** Latency is not judged: a tenth of the requests is slow on purpose. */
const ANALYSIS = {
  interval: '500ms',
  compare: { latency: 'off' },
  critical: { p99: 'off', p95TimesStable: 'off' },
  warning: { p99: 'off', p95TimesStable: 'off' },
}
/** Nobody asks a worker anything. The signal is its one way to keep what it has. */
const WORKERS = {
  run: { quiesce: 'SIGUSR1', grace: '10s' },
  listen: 'none',
  health: { runs: '500ms', interval: '200ms', deadline: '20s' },
  analysis: { interval: '500ms' },
}
const PlanJson = z.object({ plan: z.object({ peakInstances: z.int() }) })
const RefusalJson = z.object({ problem: z.object({ code: z.string(), message: z.string() }) })

export type CellResult =
  /** The plan says that this router cannot do it, or the router is not on this machine. */
  | { kind: 'not-possible'; why: string }
  | {
      kind: 'measured'
      deploy: Cost
      rollback: Cost
      /** From the decision that moves the last share to the last new request (or job) at the old version. */
      switchMs: number | null
      /** From the order as the controller heard it to the last new request (or job) at the version that went. */
      rollbackMs: number | null
      peak: { planned: number; counted: number }
    }

/** A release of two instances under load, and back by hand; both up to the stop of the set that left. */
export async function runCell(
  strategy: Strategy,
  { router, target }: Cell,
  engines: Engines,
): Promise<CellResult> {
  if (router !== 'builtin' && findProgram(router) === null)
    return { kind: 'not-possible', why: `${router} is not installed` }
  const engine = target === 'docker' ? await engines.docker() : null
  if (typeof engine === 'string') return { kind: 'not-possible', why: engine }
  const stage = await stageOf(strategy, router, engine)
  const living = engine === null ? livingProcesses() : await livingContainers(engine)
  try {
    for (const version of ['1.0.0', '1.1.0']) await stage.addRelease(version)
    await stage.sluice(['up'])
    const first = await stage.sluice(['plan', '1.0.0', '--json'], CHANGES, REFUSED)
    if (first.code === REFUSED) return { kind: 'not-possible', why: refusalIn(first.out + first.err) }
    await stage.sluice(['deploy', '1.0.0', '--yes'])
    const plan = await stage.sluice(['plan', '1.1.0', '--json'], CHANGES)
    const { peakInstances } = PlanJson.parse(JSON.parse(plan.out)).plan
    return await thereAndBack(stage, { strategy, planned: peakInstances, living })
  } finally {
    living.stop()
    await stage.clear()
  }
}

/** Made when the first line needs one; a text says why there is none. */
export type Engines = { docker(): Promise<DockerStand | string> }

async function stageOf(
  { settings, work }: Strategy,
  router: Cell['router'],
  engine: DockerStand | null,
): Promise<Stage> {
  const strategy = typeof settings === 'function' ? settings(await freePort()) : settings
  const drain = { requests: '5s', websockets: '3s' }
  if (work === undefined) return setStage({ drain, strategy, analysis: ANALYSIS, router }, { engine })
  const stage = await setStage({ ...WORKERS, strategy }, { app: WORKER, engine })
  makeJobFolders(join(stage.folder, 'jobs'))
  return stage
}

type Run = { strategy: Strategy; planned: number; living: Living }

async function thereAndBack(stage: Stage, { strategy, planned, living }: Run): Promise<CellResult> {
  const logs = join(stage.folder, 'requests')
  const load = loadOn(stage, strategy, living)
  const counter = countInstances(logs, living)
  try {
    const deploy = await costOf(load, stage, async () => {
      await stage.sluice(['deploy', '1.1.0', '--yes'])
      await settled(stage, '1.1.0')
    })
    const switchMs = since(decidedAt(await stage.status()), lastRequestAt(logs, '1.0.0'))
    const rollback = await costOf(load, stage, async () => {
      await stage.sluice(['rollback', '--reason', 'matrix'])
      await settled(stage, '1.0.0')
    })
    const rollbackMs = since(orderedAt(await stage.status()), lastRequestAt(logs, '1.1.0'))
    return {
      ...{ kind: 'measured', deploy, rollback, switchMs, rollbackMs },
      peak: { planned, counted: counter.stop() },
    }
  } finally {
    counter.stop()
    await load.end()
  }
}

function loadOn(stage: Stage, { work, testers }: Strategy, living: Living): PhasedLoad {
  if (work === 'jobs') return startJobs(join(stage.folder, 'jobs'), living)
  const load = startPhasedLoad(stage.url, LOAD)
  return testers === undefined ? load : withTesters(load, stage.url)
}

/** What testers lose counts like what everybody else does. */
const withTesters = (load: PhasedLoad, url: string): PhasedLoad => ({
  phase: async (act) => {
    const testers = startTesters(url)
    const cost = await load.phase(act)
    const { sent, lost } = await testers.stop()
    const samples = lost === 0 ? cost.samples : [`${lost} requests of testers`, ...cost.samples]
    return { ...cost, sent: cost.sent + sent, lost: cost.lost + lost, samples }
  },
  end: load.end,
})

async function costOf(load: PhasedLoad, stage: Stage, act: () => Promise<void>): Promise<Cost> {
  const cost = await load.phase(act)
  const told = (await stage.status()).rollout.loss.closed ?? 0
  if (told === cost.closed) return cost
  return { ...cost, samples: [...cost.samples, `${cost.closed} were turned away, and Sluice told ${told}`] }
}

function refusalIn(text: string): string {
  const start = text.indexOf('{')
  const { data } = RefusalJson.safeParse(start < 0 ? null : JSON.parse(text.slice(start)))
  return data === undefined ? text.trim().split('\n', 1).join() : `refused: ${data.problem.message}`
}

const since = (from: number | null, to: number | null): number | null =>
  from === null || to === null ? null : Math.max(0, to - from)

/** The last change of shares that was decided before the promotion. */
const decidedAt = ({ timeline }: ServiceStatus): number | null =>
  timeline.findLast(({ kind }) => kind === 'weights-decided')?.at ?? null

const orderedAt = ({ timeline }: ServiceStatus): number | null =>
  timeline.findLast(({ kind }) => kind === 'rollout-started')?.at ?? null

/** What was not kept for the way back is gone. */
const settled = (stage: Stage, version: string): Promise<void> =>
  until(
    async () => {
      const { stable, sets, rollout } = await stage.status()
      const others = sets.filter((set) => set.version !== version && set.role !== 'warm')
      return stable?.version === version && others.length === 0 && rollout.outcome !== null
    },
    { limitMs: SETTLE_LIMIT_MS, what: `${version} to be stable and alone`, everyMs: 500 },
  )
