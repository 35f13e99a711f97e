import { type Cost, RATE_PER_SECOND } from '../kit/phased-load.ts'
import { type Bench, type BenchOptions, measured, orMissing, pointOf, type Row, spread } from '../kit/row.ts'
import { installPm2, PM2_VERSION, type Pm2 } from './pm2-install.ts'
import { type Pm2Settings, runPm2 } from './pm2-run.ts'
import { runSluice, type SluiceRun } from './sluice-run.ts'

export const loss: Bench = {
  name: 'loss',
  title: 'Requests lost during releases',
  measures: 'program',
  document: 'benchmarks.md',
  method: [
    `Open loop at ${RATE_PER_SECOND} requests per second from a process of its own: half of them on fresh connections, half on kept ones by a client that never tries again, 10% slow (2 s), 20 WebSockets that expect each message back.`,
    'Lost is what got no complete correct answer, and any 5xx: the app never answers with one.',
    'A WebSocket is broken when it could not be opened, ended without a close frame or got a wrong echo; a goodbye (1001) is how a drain should end it.',
    'Deploy: canary 5%, 25%, 50%, 100% of two instances each, 2 s a step, then the old set is drained and stopped.',
    'Kill: `kill -9` of the controller at 25% of a rollout, 2 s without it, `sluice up`, and on to the promotion.',
    'PM2 has the same app in cluster mode with two instances and is reloaded twice. Tuned: `wait_ready`, `kill_timeout` 10 s, as its documentation advises. PM2 shifts no traffic in steps and judges nothing, so it does less work.',
    'The app finishes what runs, says goodbye to WebSockets, and serves idle connections for another second when it is told to stop.',
    'A request in flight when a phase ends counts to the next phase; after the last phase it is not counted.',
  ],
  run: runLoss,
}

const RUNS = 5
const QUICK_RUNS = 1

async function runLoss(options: BenchOptions): Promise<Row[]> {
  const runs = options.quick ? QUICK_RUNS : RUNS
  const own = await orMissing('sluice', () => ownRows(runs, options))
  const pm2 = await orMissing(`PM2 ${PM2_VERSION}`, () => pm2Rows(runs, options))
  return [...own, ...pm2]
}

async function ownRows(runs: number, { say }: BenchOptions): Promise<Row[]> {
  const all: SluiceRun[] = []
  for (let at = 1; at <= runs; at += 1) {
    const one = await runSluice()
    all.push(one)
    say(
      `run ${at} of ${runs}: deploy ${told(one.deploy)}; rollback ${told(one.rollback)}; kill ${told(one.kill)}`,
    )
  }
  const costs = all.map(({ deploy, rollback, kill }) => [deploy, rollback, kill])
  return [
    lostRow(
      'sluice: lost over deploy and promotion',
      all.map(({ deploy }) => deploy),
    ),
    lostRow(
      'sluice: lost over a rollback by hand',
      all.map(({ rollback }) => rollback),
    ),
    lostRow(
      'sluice: lost over kill -9 of the controller and up',
      all.map(({ kill }) => kill),
    ),
    noneRow(
      'sluice: broken WebSockets, all three',
      'sockets',
      costs.map((run) => sum(run.map(({ brokenSockets }) => brokenSockets))),
    ),
    sentRow(
      'sluice: requests sent in a run',
      costs.map((run) => sum(run.map(({ sent }) => sent))),
    ),
  ]
}

async function pm2Rows(runs: number, options: BenchOptions): Promise<Row[]> {
  const pm2 = await installPm2()
  try {
    const rows: Row[] = []
    for (const settings of ['tuned', 'defaults'] as const) {
      const name = `PM2 ${PM2_VERSION} ${settings}`
      rows.push(...(await orMissing(name, () => reloads(pm2, settings, runs, options))))
    }
    return rows
  } finally {
    await pm2.remove()
  }
}

async function reloads(pm2: Pm2, settings: Pm2Settings, runs: number, { say }: BenchOptions): Promise<Row[]> {
  const costs: Cost[] = []
  for (let at = 1; at <= runs; at += 1) {
    const cost = await runPm2(pm2, settings)
    costs.push(cost)
    say(`PM2 ${settings}, run ${at} of ${runs}: ${told(cost)}`)
  }
  const name = `PM2 ${PM2_VERSION} ${settings}`
  const values = (of: (cost: Cost) => number) => ({ points: spread(costs.map(of)), runs })
  return [
    measured(`${name}: lost over two reloads`, { unit: 'requests', ...values(({ lost }) => lost) }),
    measured(`${name}: broken WebSockets`, {
      unit: 'sockets',
      ...values(({ brokenSockets }) => brokenSockets),
    }),
    sentRow(
      `${name}: requests sent in a run`,
      costs.map(({ sent }) => sent),
    ),
  ]
}

const lostRow = (what: string, costs: readonly Cost[]): Row =>
  noneRow(
    what,
    'requests',
    costs.map(({ lost }) => lost),
  )

function noneRow(what: string, unit: string, values: readonly number[]): Row {
  const points = spread(values)
  const aim = { text: '0 in all runs', met: pointOf(points, 'max') === 0 }
  return measured(what, { unit, points, runs: values.length, aim })
}

const sentRow = (what: string, values: readonly number[]): Row =>
  measured(what, { unit: 'requests', points: spread(values), runs: values.length })

const told = ({ sent, lost, brokenSockets, gracefulCloses, samples }: Cost): string =>
  [
    `${lost} of ${sent} lost, ${brokenSockets} sockets broken, ${gracefulCloses} said goodbye to`,
    ...samples.slice(0, 3),
  ].join(' | ')

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)
