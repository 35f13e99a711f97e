import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { startLoadProcess } from '../kit/load-process.ts'
import { until } from '../kit/processes.ts'
import { type Bench, type BenchOptions, measured, orMissing, pointOf, type Row, tail } from '../kit/row.ts'
import { type ServiceStatus, type Stage, setStage } from '../kit/stage.ts'

const ROLLBACKS = 25
const QUICK_ROLLBACKS = 3
const RATE_PER_SECOND = 300
const FAIL_SHARE = 0.5
const ROLLED_BACK = 10
const AIM_MS = 1_000
const CLEAN_UP_LIMIT_MS = 30_000

/** Latency is not judged: a tenth of the requests of the load is slow on purpose. */
const SETTINGS = {
  drain: { requests: '3s', websockets: '1s' },
  strategy: { canary: { steps: [{ weight: '10%', pause: '20s' }], watch: '1s', hold: '100ms' } },
  analysis: {
    interval: '200ms',
    minRequests: 20,
    compare: { latency: 'off' },
    critical: { p99: 'off', p95TimesStable: 'off' },
    warning: { p99: 'off', p95TimesStable: 'off' },
  },
}

export const verdict: Bench = {
  name: 'verdict',
  title: 'From the verdict to traffic off',
  measures: 'program',
  document: 'benchmarks.md',
  method: [
    `${ROLLBACKS} automatic rollbacks of a version that fails half of its requests, at 10% of ${RATE_PER_SECOND} requests per second, judged every 200 ms.`,
    'Both times begin with the event of the verdict in the timeline.',
    'Confirmed: the controller read back from the data plane that the candidate has no traffic (`trafficOffMs` of the rollout).',
    'Last new request: the app writes down when each request arrives; clocks are those of one machine, 0 means that none came after the verdict.',
    `With ${ROLLBACKS} values the 99th percentile is the largest of them.`,
    'At 10% of the load about 30 requests a second reach the bad version, so the last new request is known to about 33 ms.',
  ],
  run: runVerdict,
}

type Times = { confirmedMs: number; lastRequestMs: number }

async function runVerdict({ quick, say }: BenchOptions): Promise<Row[]> {
  const rollbacks = quick ? QUICK_ROLLBACKS : ROLLBACKS
  const stage = await setStage(SETTINGS)
  try {
    await stage.addRelease('1.0.0')
    await stage.sluice(['up'])
    await stage.sluice(['deploy', '1.0.0', '--yes'])
    const load = startLoadProcess(stage.url, { ratePerSecond: RATE_PER_SECOND })
    try {
      await load.ask('mark')
      return await measureAll(stage, rollbacks, say)
    } finally {
      await load.end()
    }
  } finally {
    await stage.clear()
  }
}

/** One that goes wrong ends the bench with a row of its own; what was measured before it still counts. */
async function measureAll(stage: Stage, rollbacks: number, say: BenchOptions['say']): Promise<Row[]> {
  const all: Times[] = []
  const trouble = await orMissing(`all of the ${rollbacks} rollbacks`, async () => {
    for (let at = 1; at <= rollbacks; at += 1) {
      const times = await rollBackOnce(stage, `2.0.${at}`)
      all.push(times)
      const { confirmedMs, lastRequestMs } = times
      say(
        `rollback ${at} of ${rollbacks}: confirmed after ${confirmedMs} ms, last request after ${lastRequestMs} ms`,
      )
    }
    return []
  })
  return [...(all.length > 0 ? rowsOf(all) : []), ...trouble]
}

async function rollBackOnce(stage: Stage, version: string): Promise<Times> {
  await stage.addRelease(version, { failShare: FAIL_SHARE })
  await stage.sluice(['deploy', version, '--yes'], ROLLED_BACK)
  let status = await stage.status()
  const alone = async () => {
    status = await stage.status()
    return status.sets.length === 1
  }
  await until(alone, {
    limitMs: CLEAN_UP_LIMIT_MS,
    what: `the instances of ${version} to be gone`,
    everyMs: 250,
  })
  const verdictAt = verdictTime(status)
  const { trafficOffMs } = status.rollout
  if (trafficOffMs === null)
    throw new Error(`The rollout of ${version} has no trafficOffMs: ${status.rollout.sentence}`)
  const last = lastRequestTime(stage.folder, version)
  return { confirmedMs: trafficOffMs, lastRequestMs: Math.max(0, last - verdictAt) }
}

function verdictTime({ timeline, rollout }: ServiceStatus): number {
  const entry = timeline.findLast(({ kind }) => kind === 'return-started')
  if (entry === undefined) throw new Error(`No verdict in the timeline: ${rollout.sentence}`)
  return entry.at
}

function lastRequestTime(folder: string, version: string): number {
  const logs = join(folder, 'requests')
  const times = readdirSync(logs)
    .filter((name) => name.startsWith(`${version}-`))
    .flatMap((name) => readFileSync(join(logs, name), 'utf8').trim().split('\n').map(Number))
  if (times.length === 0) throw new Error(`No request reached ${version}.`)
  return Math.max(...times)
}

function rowsOf(all: readonly Times[]): Row[] {
  const row = (what: string, values: readonly number[]): Row => {
    const points = tail(values)
    const aim = { text: `p99 under ${AIM_MS} ms`, met: pointOf(points, 'p99') < AIM_MS }
    return measured(what, { unit: 'ms', points, runs: values.length, aim })
  }
  return [
    row(
      'verdict to confirmed traffic off',
      all.map(({ confirmedMs }) => confirmedMs),
    ),
    row(
      'verdict to the last new request at the bad version',
      all.map(({ lastRequestMs }) => lastRequestMs),
    ),
  ]
}
