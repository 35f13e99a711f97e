import { setTimeout as pause } from 'node:timers/promises'
import { type Bench, type BenchOptions, measured, type Point, pointOf, type Row, spread } from '../kit/row.ts'
import { type Pids, type Stage, setStage } from '../kit/stage.ts'
import { cpuSeconds, pssMegabytes } from './process-cost.ts'

const STARTS = 15
const WARM_UPS = 3
const RUNS = 5
const SETTLE_MS = 10_000
const CPU_MS = 20_000
const QUICK = { starts: 5, runs: 1, settleMs: 3_000, cpuMs: 5_000 }
const FULL = { starts: STARTS, runs: RUNS, settleMs: SETTLE_MS, cpuMs: CPU_MS }
type Size = typeof FULL

const VERSION_AIM_MS = 200
const STATUS_AIM_MS = 450
const MEMORY_AIM_MB = 250
const PARTS = ['controller', 'proxy', 'agent'] as const

export const footprint: Bench = {
  name: 'footprint',
  title: 'What it costs to have it',
  measures: 'program',
  document: 'benchmarks.md',
  method: [
    `Commands: wall time from start to exit of the program, ${STARTS} times after ${WARM_UPS} that do not count.`,
    'Memory: PSS (`/proc/PID/smaps_rollup`, shared pages counted by share) of controller, proxy and agent 10 s after the first release of a service of two instances, five times from nothing.',
    'CPU: time of the same three over the 20 s after that, no traffic, in percent of one core.',
  ],
  run: runFootprint,
}

type Idle = { memory: Record<keyof Pids, number>; cpuPercent: number }

async function runFootprint({ quick, say }: BenchOptions): Promise<Row[]> {
  const size = quick ? QUICK : FULL
  const idle: Idle[] = []
  let commands: Row[] = []
  for (let at = 1; at <= size.runs; at += 1) {
    const stage = await setStage({ strategy: { canary: 'quick' } })
    try {
      await stage.addRelease('1.0.0')
      await stage.sluice(['up'])
      await stage.sluice(['deploy', '1.0.0', '--yes'])
      const one = await restingCost(stage, size)
      idle.push(one)
      say(
        `run ${at} of ${size.runs}: ${total(one.memory).toFixed(0)} MB, ${one.cpuPercent.toFixed(2)}% of a core`,
      )
      if (at === size.runs) commands = await commandRows(stage, size)
    } finally {
      await stage.clear()
    }
  }
  return [...commands, ...idleRows(idle)]
}

async function commandRows(stage: Stage, { starts }: Size): Promise<Row[]> {
  const row = (name: string, values: readonly number[], aimMs: number): Row => {
    const points = spread(values)
    return measured(`\`sluice ${name}\``, {
      unit: 'ms',
      points,
      runs: starts,
      aim: under(aimMs, 'ms', points),
    })
  }
  return [
    row('--version', await wallTimes(() => stage.sluice(['--version']), starts), VERSION_AIM_MS),
    row('status', await wallTimes(() => stage.sluice(['status']), starts), STATUS_AIM_MS),
  ]
}

async function wallTimes(act: () => Promise<unknown>, count: number): Promise<number[]> {
  const times: number[] = []
  for (let at = 0; at < WARM_UPS + count; at += 1) {
    const began = performance.now()
    await act()
    if (at >= WARM_UPS) times.push(performance.now() - began)
  }
  return times
}

async function restingCost(stage: Stage, { settleMs, cpuMs }: Size): Promise<Idle> {
  await pause(settleMs)
  const pids = stage.pids()
  const memory = {
    controller: pssMegabytes(pids.controller),
    proxy: pssMegabytes(pids.proxy),
    agent: pssMegabytes(pids.agent),
  }
  const cpu = () => PARTS.reduce((seconds, part) => seconds + cpuSeconds(pids[part]), 0)
  const [before, beganMs] = [cpu(), performance.now()]
  await pause(cpuMs)
  return { memory, cpuPercent: (100_000 * (cpu() - before)) / (performance.now() - beganMs) }
}

function idleRows(idle: readonly Idle[]): Row[] {
  const runs = idle.length
  const all = spread(idle.map(({ memory }) => total(memory)))
  return [
    measured('memory at rest, all three', {
      unit: 'MB',
      points: all,
      runs,
      aim: under(MEMORY_AIM_MB, 'MB', all),
    }),
    ...PARTS.map((part) =>
      measured(`memory at rest, ${part}`, {
        unit: 'MB',
        points: spread(idle.map(({ memory }) => memory[part])),
        runs,
      }),
    ),
    measured('CPU at rest, all three', {
      unit: '% of a core',
      points: spread(idle.map(({ cpuPercent }) => cpuPercent)),
      runs,
    }),
  ]
}

const total = (memory: Idle['memory']): number => PARTS.reduce((sum, part) => sum + memory[part], 0)

const under = (limit: number, unit: string, points: readonly Point[]) => ({
  text: `median under ${limit} ${unit}`,
  met: pointOf(points, 'median') < limit,
})
