import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Result } from '../../src/core/shared/result.ts'
import { ServiceRoutes } from '../../src/core/shared/routes.ts'
import type { DataPlane } from '../../src/ports/router.ts'
import { startLoad } from '../../src/testkit/load/load.ts'
import { cleanupOf } from '../kit/cleanup.ts'
import { freePort, until } from '../kit/processes.ts'
import {
  type Bench,
  type BenchOptions,
  measured,
  orMissing,
  pointOf,
  type Row,
  spread,
  tail,
} from '../kit/row.ts'
import { turnsOf } from '../kit/turns.ts'
import { stayOn } from '../wire/place.ts'
import { startOrigin } from '../wire/proxy-under-test.ts'
import { requestsPerSecond } from '../wire/wrk.ts'
import { haproxy } from './haproxy.ts'
import { nginx } from './nginx.ts'
import type { RouterUnderTest, Way } from './router-under-test.ts'

const ROUTERS: readonly RouterUnderTest[] = [haproxy, nginx]
const SERVICE = 'bench'
/** What a program may be lucky with from its start on, it is only for so long. */
const LIVES = 4
/** In all lives so many that all turns come equally often, with two ways by hand and with three. */
const ROUNDS = 3
const SECONDS = 2
/** Between turns: the controller reads what is left of the log, and nobody else pays for it. */
const BETWEEN_MS = 800
const CHANGES = 20
const LOAD_PER_SECOND = 500
const START_LIMIT_MS = 10_000
/** The last lines of a run are on their way. */
const LINES_ARRIVE_MS = 1_000

export const routers: Bench = {
  name: 'routers',
  title: 'HAProxy and nginx, run by Sluice',
  measures: 'sources',
  document: 'benchmarks.md',
  method: [
    'One nginx worker answers 1 KiB from memory; each router runs as Sluice runs it (a line per request, which the controller reads from a file of nginx and from the memory of HAProxy, a split of 95 to 5, counters), and by hand; wrk has one thread and 32 connections.',
    ...ROUTERS.flatMap(({ name, ways }) => Object.values(ways).map((what) => `${name} by hand ${what}.`)),
    'Nobody reads the logs of the routers by hand. Without a log nobody knows how a version does: one by hand without it is the upper bound. The same aim is held against all.',
    'Throughput is a ratio inside one round, in which all ran one after the other for two seconds each, with a pause between them; within the rounds each follows each other equally often.',
    `There are ${LIVES} lives of ${ROUNDS} rounds: for each all programs are started anew, since a process can be lucky for as long as it runs.`,
    'For the throughput, a router shares one core with whoever takes its log: the controller that reads each line, or by hand the small program. nginx has one worker on it, here and by hand: of two, whichever took more of the connections had decided what the whole carries. Load and origin have the other core. What the controller has not read when its turn ends, half a second of lines at most, it reads in the pause.',
    'A change is confirmed once `setRoutes` has answered and the weights were read back from the program.',
    'For changes, the router keeps its core and all others run where the kernel puts them.',
    `Lost: an open-loop client sends ${LOAD_PER_SECOND} requests per second, half on kept connections, while weights change ${CHANGES} times.`,
    'That client does what browsers do: a request without a body goes out again when the kept connection it went out on was closed just then (RFC 9110, 9.2.2). "Again" counts these: a client that does not send again loses them.',
    'Lines: requests that no log line told of, of all in the throughput runs.',
  ],
  run: async (options) => {
    const rows: Row[] = []
    for (const router of ROUTERS) {
      options.say(router.name)
      rows.push(...(await orMissing(router.name, () => benchRouter(router, options))))
    }
    return rows
  },
}

/** A number for each that is measured: ours, and the same router by hand. */
type Each = { ours: number } & Partial<Record<Way, number>>
type Stage = { name: string; plane: DataPlane; ports: Each; originPort: number; leaveCore: () => void }
type Lines = { missing: number; told: number }

const TITLES: Record<Way, string> = {
  debian: "with Debian's access log",
  canary: 'for a canary that can be judged',
  none: 'without any log',
}

async function benchRouter(router: RouterUnderTest, { quick }: BenchOptions): Promise<Row[]> {
  const [lives, rounds] = quick ? [1, 1] : [LIVES, ROUNDS]
  const found: Each[] = []
  const lines = { missing: 0, told: 0 }
  for (let life = 0; life < lives; life += 1)
    await living(router, async ({ plane, ports }) => {
      // Caches are cold in the first round.
      await ratesOf(ports, 0)
      for (let round = 0; round < rounds; round += 1) found.push(await ratesOf(ports, life * rounds + round))
      const { missing, told } = await linesOf(plane)
      lines.missing += missing
      lines.told += told
    })
  const changed = await living(router, async (stage) => {
    // The client of the changes is in this process.
    stage.leaveCore()
    return await changes(stage)
  })
  return [...throughputRows(router.name, found, lines), ...changed]
}

/** The router as Sluice runs it and by hand, from start to end, on one core with this process. */
async function living<T>(router: RouterUnderTest, work: (stage: Stage) => Promise<T>): Promise<T> {
  const leaveCore = stayOn('0')
  const folder = await mkdtemp(join(tmpdir(), 'sluice-routers-'))
  const running: { stop(): Promise<void> }[] = []
  const stop = cleanupOf(async () => {
    for (const one of running.reverse()) await one.stop()
    await rm(folder, { recursive: true, force: true })
    leaveCore()
  })
  try {
    const origin = await startOrigin({ folder, port: await freePort(), rank: 'ordinary' })
    running.push(origin)
    const plane = router.createPlane(join(folder, router.name))
    const leave = async () => {
      await plane.end()
      await plane.close()
    }
    running.push({ stop: leave })
    const ports: Each = { ours: await freePort() }
    for (const way of waysOf(router.ways)) ports[way] = await freePort()
    must(await plane.router.reconcile())
    must(
      await plane.router.setRoutes(
        routesOf({ port: ports.ours, originPort: origin.port, permille: 50, sequence: 1 }),
      ),
    )
    for (const way of waysOf(ports))
      running.push(await router.startByHand({ folder, port: ports[way] ?? 0, originPort: origin.port, way }))
    for (const port of Object.values(ports))
      await until(() => answers(port), { limitMs: START_LIMIT_MS, what: `${router.name} to answer` })
    return await work({ name: router.name, plane, ports, originPort: origin.port, leaveCore })
  } finally {
    await stop()
  }
}

const throughputRows = (name: string, found: readonly Each[], lines: Lines): Row[] => [
  ...waysOf(found[0] ?? {}).map((way) => ratioRow(name, found, way)),
  measured(`${name}: throughput`, {
    unit: 'req/s',
    points: spread(found.map(({ ours }) => ours)),
    runs: found.length,
  }),
  measured(`${name}: requests that no log line told of`, {
    unit: 'requests',
    points: [
      { name: 'missing', value: lines.missing },
      { name: 'told', value: lines.told },
    ],
    runs: 1,
    aim: { text: 'none lost, or the loss is counted', met: true },
  }),
]

async function ratesOf(ports: Each, round: number): Promise<Each> {
  const rates: Each = { ours: 0 }
  const turns = turnsOf(['ours', ...waysOf(ports)] as const)
  for (const name of turns[round % turns.length] ?? []) {
    rates[name] = await requestsPerSecond({ port: ports[name] ?? 0, seconds: SECONDS, rank: 'ordinary' })
    await pause(BETWEEN_MS)
  }
  return rates
}

function ratioRow(name: string, found: readonly Each[], way: Way): Row {
  const points = spread(found.map((rates) => rates.ours / Math.max(1, rates[way] ?? 0)))
  const met = pointOf(points, 'median') >= 0.95
  return measured(`${name}: throughput of the same router by hand ${TITLES[way]}`, {
    unit: 'x',
    points,
    runs: found.length,
    aim: { text: 'at least 0.95', met },
  })
}

/** A window that lost too much is answered with a failure: then all that is known is in its message. */
async function linesOf({ counts }: DataPlane): Promise<Lines> {
  await pause(LINES_ARRIVE_MS)
  // What is missing must be missing at two looks.
  await counts.query(SERVICE)
  await pause(LINES_ARRIVE_MS)
  const answer = await counts.query(SERVICE)
  if (answer.kind !== 'samples')
    throw new Error(answer.kind === 'failure' ? answer.problem.message : 'nothing was counted')
  const told = answer.counts.releases.reduce((sum, { total }) => sum + total.requests, 0)
  return { missing: answer.counts.missing ?? 0, told }
}

async function changes({ name, plane, ports: { ours }, originPort }: Stage): Promise<Row[]> {
  const load = startLoad({
    url: `http://127.0.0.1:${ours}`,
    ratePerSecond: LOAD_PER_SECOND,
    connections: 'both',
    sendAgain: true,
    mix: [{ method: 'GET', path: '/', share: 1 }],
  })
  const times: number[] = []
  for (let change = 1; change <= CHANGES; change += 1) {
    const permille = (change * 137) % 1001
    const began = performance.now()
    must(await plane.router.setRoutes(routesOf({ port: ours, originPort, permille, sequence: change + 1 })))
    const state = must(await plane.router.readState(SERVICE))
    if (state.sets[1]?.weightPermille !== permille) throw new Error(`${name} does not follow: ${permille}`)
    times.push(performance.now() - began)
    await pause(100)
  }
  const { sent, sentAgain, lost, errors } = await load.stop()
  const points = [
    { name: 'lost', value: lost.count + errors },
    { name: 'again', value: sentAgain },
    { name: 'sent', value: sent },
  ]
  return [
    measured(`${name}: from a command to the confirmed weight`, {
      unit: 'ms',
      points: tail(times),
      runs: CHANGES,
    }),
    measured(`${name}: requests lost over ${CHANGES} changes`, {
      unit: 'requests',
      points,
      runs: 1,
      aim: { text: '0 lost', met: lost.count + errors === 0 },
    }),
  ]
}

type Split = { port: number; originPort: number; permille: number; sequence: number }

const routesOf = ({ port, originPort, permille, sequence }: Split): ServiceRoutes => {
  const instance = (id: string) => ({ id, host: '127.0.0.1', port: originPort, state: 'active' })
  const set = (release: string, weightPermille: number) => ({
    release,
    version: release,
    weightPermille,
    instances: [instance(release)],
  })
  return ServiceRoutes.parse({
    service: SERVICE,
    token: { epoch: 1, sequence, rollout: null },
    listen: { host: '127.0.0.1', port },
    stable: 'stable',
    sets: [set('stable', 1000 - permille), set('candidate', permille)],
    drain: { requestsMs: 1_000, websocketsMs: 1_000 },
    onControllerLoss: { kind: 'hold' },
    probeKey: 'bench',
  })
}

const WAYS: readonly Way[] = ['debian', 'canary', 'none']
const waysOf = (of: Partial<Record<Way, unknown>>): Way[] => WAYS.filter((way) => of[way] !== undefined)

function must<T>(result: Result<T>): T {
  if (result.kind === 'failed') throw new Error(`${result.problem.message} ${result.problem.cause ?? ''}`)
  return result.value
}

const answers = (port: number): Promise<boolean> =>
  fetch(`http://127.0.0.1:${port}/`).then(
    ({ ok }) => ok,
    () => false,
  )
