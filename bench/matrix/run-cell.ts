import { join } from 'node:path'
import * as z from 'zod'
import { type Cost, startPhasedLoad } from '../kit/phased-load.ts'
import { until } from '../kit/processes.ts'
import { type ServiceStatus, type Stage, setStage } from '../kit/stage.ts'
import type { Strategy } from './cells.ts'
import { countInstances, lastRequestAt } from './instances.ts'

export const RATE_PER_SECOND = 300
/** Percent of the requests that are slow uploads: about one is always under way. */
export const UPLOAD_SHARE = 0.15
const SETTLE_LIMIT_MS = 60_000

/** Latency is not judged: a tenth of the requests is slow on purpose. */
const ANALYSIS = {
  interval: '500ms',
  compare: { latency: 'off' },
  critical: { p99: 'off', p95TimesStable: 'off' },
  warning: { p99: 'off', p95TimesStable: 'off' },
}
const PlanJson = z.object({ plan: z.object({ peakInstances: z.int() }) })

export type CellResult = {
  deploy: Cost
  rollback: Cost
  /** From the decision that moves the last share to the last new request at the old version. */
  switchMs: number | null
  /** From the order as the controller heard it to the last new request at the version that went. */
  rollbackMs: number | null
  peak: { planned: number; counted: number }
}

/** A release of two instances under load, and back by hand; both up to the stop of the set that left. */
export async function runCell({ settings }: Strategy): Promise<CellResult> {
  const stage = await setStage({
    drain: { requests: '5s', websockets: '3s' },
    strategy: settings,
    analysis: ANALYSIS,
  })
  const logs = join(stage.folder, 'requests')
  try {
    for (const version of ['1.0.0', '1.1.0']) stage.addRelease(version)
    await stage.sluice(['up'])
    await stage.sluice(['deploy', '1.0.0', '--yes'])
    const planned = PlanJson.parse(JSON.parse((await stage.sluice(['plan', '1.1.0', '--json'], CHANGES)).out))
    const load = startPhasedLoad(stage.url, { ratePerSecond: RATE_PER_SECOND, uploads: UPLOAD_SHARE })
    const counter = countInstances(logs)
    try {
      const deploy = await load.phase(async () => {
        await stage.sluice(['deploy', '1.1.0', '--yes'])
        await settled(stage, '1.1.0')
      })
      const switchMs = since(decidedAt(await stage.status()), lastRequestAt(logs, '1.0.0'))
      const rollback = await load.phase(async () => {
        await stage.sluice(['rollback', '--reason', 'matrix'])
        await settled(stage, '1.0.0')
      })
      const rollbackMs = since(orderedAt(await stage.status()), lastRequestAt(logs, '1.1.0'))
      const peak = { planned: planned.plan.peakInstances, counted: counter.stop() }
      return { deploy, rollback, switchMs, rollbackMs, peak }
    } finally {
      counter.stop()
      await load.end()
    }
  } finally {
    await stage.clear()
  }
}

/** `sluice plan` found something to do. */
const CHANGES = 3

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
