import { setTimeout as pause } from 'node:timers/promises'
import { cpuSeconds } from '../footprint/process-cost.ts'
import { type DockerStand, engineOnce } from '../kit/docker.ts'
import { until } from '../kit/processes.ts'
import { type Bench, type BenchOptions, measured, pointOf, type Row, spread } from '../kit/row.ts'
import { type Pids, type ServiceStatus, type Stage, setStage } from '../kit/stage.ts'
import { runBare } from './bare.ts'

const FULL = { runs: 9, containers: 200, settleMs: 10_000, cpuMs: 20_000 }
const QUICK = { runs: 3, containers: 20, settleMs: 3_000, cpuMs: 5_000 }
type Size = typeof FULL

const OVERHEAD_AIM_MS = 500
const CPU_AIM_PERCENT = 10
/** What a file that says nothing of it gets. */
const HEALTH_EVERY_S = 1
const SELDOM_S = 30
const PATIENT = { deadline: '15m' }
/** What is learned of a container: nearly all from the events of the engine, or from asking it all the time as well. */
const WATCHES = [
  {
    by: `by the events of the engine, and each asked over HTTP every ${SELDOM_S} s`,
    health: { ...PATIENT, path: '/up', interval: `${SELDOM_S}s`, successes: 1 },
  },
  {
    by: `by the events of the engine, and each asked over HTTP every ${HEALTH_EVERY_S} s`,
    health: { ...PATIENT, path: '/up', interval: `${HEALTH_EVERY_S}s` },
  },
]
const PARTS = ['controller', 'agent'] as const
/** So many starts of containers, four at a time: a minute and a half on a quiet machine. Then nothing is measured. */
const READY_LIMIT_MS = 3 * 60_000

export const containers: Bench = {
  name: 'containers',
  title: 'Containers of a Docker Engine',
  measures: 'program',
  document: 'benchmarks.md',
  method: [
    `Start: ${FULL.runs} times by turns, with the image there: a container made and started by the API of the engine alone until its first good answer, asked every 50 ms; and a release of one instance, from the order as the controller heard it until the step that waits for readiness is done (health asked every 50 ms, one good answer).`,
    `Observation: CPU time of controller and agent over ${FULL.cpuMs / 1000} s at rest, with ${FULL.containers} containers of one service: watched by the events of the engine, and asked for their health over HTTP every ${SELDOM_S} s, and every ${HEALTH_EVERY_S} s (the default interval).`,
    'A dockerd of its own (own folder, socket and bridge, no rules of a firewall).',
  ],
  run: runContainers,
}

async function runContainers({ quick, say }: BenchOptions): Promise<Row[]> {
  const size = quick ? QUICK : FULL
  const engines = engineOnce()
  try {
    const engine = await engines.docker()
    if (typeof engine === 'string') throw new Error(engine)
    const rows = await startRows(engine, size, say)
    for (const watch of WATCHES) rows.push(...(await observationRows(engine, { ...size, ...watch }, say)))
    return rows
  } finally {
    await engines.close()
  }
}

/** Health that adds nothing of its own: the first good answer counts. */
const EAGER = { path: '/up', interval: '50ms', successes: 1, deadline: '60s' }
const AT_ONCE = { canary: { steps: [{ weight: '100%' }], watch: '1s', hold: '0s' } }

async function startRows(engine: DockerStand, { runs }: Size, say: BenchOptions['say']): Promise<Row[]> {
  const stage = await setStage(
    { run: { replicas: 1 }, health: EAGER, strategy: AT_ONCE, analysis: { interval: '1s' } },
    { engine },
  )
  try {
    for (const version of ['1.0.0', '1.1.0']) await stage.addRelease(version)
    await stage.sluice(['up'])
    await stage.sluice(['deploy', '1.0.0', '--yes'])
    const bare: number[] = []
    const ours: number[] = []
    for (let run = 1; run <= runs; run += 1) {
      bare.push(await runBare(engine, 'bench:1.1.0'))
      ours.push(await readyAfter(stage, run % 2 === 0 ? '1.0.0' : '1.1.0'))
      say(`run ${run} of ${runs}: bare ${bare.at(-1)?.toFixed(0)} ms, ours ${ours.at(-1)?.toFixed(0)} ms`)
    }
    const over = spread(ours.map((one, index) => one - (bare[index] ?? 0)))
    return [
      measured('a container by the engine alone, until its first good answer', {
        ...{ unit: 'ms', points: spread(bare), runs },
      }),
      measured('a release of one instance, from the order until it is ready', {
        ...{ unit: 'ms', points: spread(ours), runs },
      }),
      measured('what Sluice adds to it', {
        ...{ unit: 'ms', points: over, runs },
        aim: {
          text: `median under ${OVERHEAD_AIM_MS} ms`,
          met: pointOf(over, 'median') < OVERHEAD_AIM_MS,
        },
      }),
    ]
  } finally {
    await stage.clear()
  }
}

async function readyAfter(stage: Stage, version: string): Promise<number> {
  await stage.sluice(['deploy', version, '--yes'])
  const { timeline } = await stage.status()
  const ordered = timeline.findLastIndex(({ kind }) => kind === 'rollout-started')
  const ready = timeline.find(({ kind }, index) => index > ordered && kind === 'step-finished')
  const order = timeline[ordered]
  if (order === undefined || ready === undefined)
    throw new Error('the timeline does not say when it was ready')
  return ready.at - order.at
}

async function observationRows(
  engine: DockerStand,
  { containers: count, settleMs, cpuMs, by, health }: Size & (typeof WATCHES)[number],
  say: BenchOptions['say'],
): Promise<Row[]> {
  const stage = await setStage({ run: { replicas: count }, health }, { engine })
  try {
    await stage.addRelease('1.0.0')
    await stage.sluice(['up'])
    await stage.sluice(['deploy', '1.0.0', '--yes', '--no-watch'])
    await until(async () => isServed(await stage.status()), {
      ...{ limitMs: READY_LIMIT_MS, what: `${count} containers to be ready`, everyMs: 2000 },
    })
    say(`${(await engine.running()).length} containers run`)
    await pause(settleMs)
    const percent = await cpuPercentOf(stage.pids(), cpuMs)
    const all = PARTS.reduce((sum, part) => sum + percent[part], 0)
    const row = (what: string, value: number, aim?: { text: string; met: boolean }): Row =>
      measured(what, {
        ...{ unit: '% of a core', points: [{ name: 'mean', value }], runs: 1 },
        ...(aim === undefined ? {} : { aim }),
      })
    return [
      row(`${count} containers observed ${by}, controller and agent`, all, {
        ...{ text: `under ${CPU_AIM_PERCENT}% of a core`, met: all < CPU_AIM_PERCENT },
      }),
      ...PARTS.map((part) => row(`of that, the ${part}`, percent[part])),
    ]
  } finally {
    await stage.clear()
  }
}

const isServed = ({ stable }: ServiceStatus): boolean => stable !== null

async function cpuPercentOf(pids: Pids, ms: number): Promise<Record<(typeof PARTS)[number], number>> {
  const seconds = () => PARTS.map((part) => cpuSeconds(pids[part]))
  const [before, began] = [seconds(), performance.now()]
  await pause(ms)
  const [after, tookMs] = [seconds(), performance.now() - began]
  const percent = (index: number): number => (100_000 * ((after[index] ?? 0) - (before[index] ?? 0))) / tookMs
  return { controller: percent(0), agent: percent(1) }
}
