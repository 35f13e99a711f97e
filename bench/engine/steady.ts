import { setTimeout as pause } from 'node:timers/promises'
import { type Aim, measured, orMissing, type Row, spread } from '../kit/row.ts'
import type { Fleet } from './fleet.ts'
import type { Measurement, StorePlace } from './messages.ts'
import { cpuOfServer } from './server-cost.ts'
import { EVALUATE_EVERY_MS } from './template.ts'

/** After the take-over each rollout is evaluated once before anything is counted. */
const SETTLE_MS = EVALUATE_EVERY_MS + 2_000
const CORE_AIM = 1
const MEMORY_AIM_MB = 1024
const LAG_AIM_MS = 1000

type Steady = { kind: StorePlace['kind']; streams: number; windows: number; aimed: boolean }
type Window = Measurement & { serverCores: number }

/** One controller with so many rollouts in progress; each window lasts one interval of the analysis. */
export async function steadyRows(fleet: Fleet, of: Steady, say: (text: string) => unknown): Promise<Row[]> {
  const title = titleOf(of)
  return orMissing(title, async () => {
    const windows = await measureWindows(fleet, of)
    for (const one of windows)
      say(
        `${title}: ${one.cpuCores.toFixed(2)} cores, ${one.rssMb.toFixed(0)} MB, p99 ${one.evaluationLagMs.p99} ms late, ${one.evaluations} evaluations`,
      )
    return rowsOf(of, windows)
  })
}

const titleOf = ({ kind, streams }: Steady): string => `${kind}, ${streams} rollouts`

async function measureWindows(fleet: Fleet, { kind, streams, windows }: Steady): Promise<Window[]> {
  const child = fleet.start(await fleet.place(kind, streams), streams)
  try {
    await child.report('working')
    await pause(SETTLE_MS)
    const found: Window[] = []
    for (let at = 0; at < windows; at += 1) {
      const server = kind === 'postgres' ? cpuOfServer(fleet.server?.pid() ?? 0) : null
      const one = await child.measure(EVALUATE_EVERY_MS)
      found.push({ ...one, serverCores: server === null ? 0 : server() / one.seconds })
    }
    return found
  } finally {
    await child.kill()
  }
}

function rowsOf(of: Steady, windows: readonly Window[]): Row[] {
  const { streams, kind, aimed } = of
  const row = (
    what: string,
    unit: string,
    pick: (one: Window) => number,
    aim?: [string, (worst: number) => boolean],
  ) => {
    const points = spread(windows.map(pick))
    const worst = points.at(-1)?.value ?? Number.NaN
    const held: Aim | undefined =
      aim === undefined || !aimed ? undefined : { text: aim[0], met: aim[1](worst) }
    return measured(`${titleOf(of)}: ${what}`, {
      unit,
      points,
      runs: windows.length,
      ...(held === undefined ? {} : { aim: held }),
    })
  }
  const under = (limit: number, unit: string): [string, (worst: number) => boolean] => [
    `under ${limit} ${unit} in all windows`,
    (worst) => worst < limit,
  ]
  return [
    row('CPU', 'cores', ({ cpuCores }) => cpuCores, under(CORE_AIM, 'core')),
    ...(kind === 'postgres'
      ? [row('CPU of the server beside it', 'cores', ({ serverCores }) => serverCores)]
      : []),
    row('memory (RSS)', 'MB', ({ rssMb }) => rssMb, under(MEMORY_AIM_MB, 'MB')),
    row('heap, of which the fakes', 'MB', ({ heapBeforeMb }) => heapBeforeMb),
    row('heap, all', 'MB', ({ heapMb }) => heapMb),
    row('tick lag p99', 'ms', ({ tickLagMs }) => tickLagMs.p99, under(LAG_AIM_MS, 'ms')),
    row('evaluation lag p99', 'ms', ({ evaluationLagMs }) => evaluationLagMs.p99, under(LAG_AIM_MS, 'ms')),
    row(
      'evaluations made of those due',
      '%',
      ({ evaluations, seconds }) => (100 * evaluations * EVALUATE_EVERY_MS) / (streams * seconds * 1000),
    ),
    row('looks', '/s', ({ looks, seconds }) => looks / seconds),
    row('journal commits', '/s', ({ commits, seconds }) => commits / seconds),
  ]
}
