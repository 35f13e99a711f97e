import type { Bench, BenchOptions, Row } from '../kit/row.ts'
import { commitRows } from './commits.ts'
import { type Fleet, gatherFleet } from './fleet.ts'
import type { StorePlace } from './messages.ts'
import { simulatedRows } from './simulated.ts'
import { steadyRows } from './steady.ts'
import { resumeRows, takeoverRows } from './takeover.ts'
import { EVALUATE_EVERY_MS } from './template.ts'

const FULL = {
  sizes: [100, 1_000, 10_000],
  windows: 3,
  restarts: 5,
  takeovers: 3,
  taken: 1_000,
  commits: { runs: 5, forMs: 1_500 },
  simulated: { runs: 5, seeds: 40 },
}
const QUICK = {
  sizes: [20],
  windows: 1,
  restarts: 1,
  takeovers: 1,
  taken: 20,
  commits: { runs: 1, forMs: 300 },
  simulated: { runs: 1, seeds: 3 },
}
/** The aims of the curve hold for this many. */
const AIMED_STREAMS = 10_000

export const engine: Bench = {
  name: 'engine',
  title: 'The engine under many rollouts',
  measures: 'sources',
  document: 'benchmarks.md',
  method: [
    'One process runs the shipped engine over a real store; targets, routers and traffic counters are fakes in its memory, and their cost is in all figures. Another process starts it and asks for the figures.',
    `Each rollout has two versions of two instances, sits in its first step at 5%, has the settings that are the default (12 checks), and is judged on fresh counters every ${EVALUATE_EVERY_MS / 1000} s; each evaluation is journalled; the state (about 15 kB) is written with each eighth.`,
    'All rollouts are copies of one that the engine itself brought there, written to the store as a restored copy is.',
    'A window lasts one interval, so that each rollout is evaluated once in it; there are three, one after the other, in one process. CPU is that of the process, as it sees it itself.',
    'Tick lag: how much later than planned the engine went on after a wait. Evaluation lag: how much later than one interval after the last time the counters were read again; it holds the waiting for the next look.',
    'With more than 250 rollouts in their steps each is looked at less often than every 250 ms, so that there are about 1,000 looks a second; an evaluation that is due is never put off by that.',
    'The controller bounds the growth of its heap (`src/controller/small-heap.ts`), and so does the process of the bench.',
    'SQLite syncs each commit (WAL, `synchronous=FULL`); PostgreSQL runs on the same machine with its defaults (`fsync` and `synchronous_commit` on), and its CPU is a row of its own.',
    'Takeover: the owner is killed (SIGKILL), another controller has joined before. It includes the wait until the leases of 5 s run out.',
    'Resume: from the start of the process until every stream was looked at and its sets and routes were asserted under the new epoch. SQLite after SIGKILL, PostgreSQL after an orderly end (after a kill it is a takeover).',
    'Commits: an append with the state, one event and a checked lease, against an autocommitted insert of one row of the same size, one after the other in each run. One raw SQLite connection gains nothing from more writers.',
    'Simulated rollouts: `scripts/simulate` on one thread, store in memory, faults and all rules on.',
  ],
  run: runEngine,
}

async function runEngine({ quick, say }: BenchOptions): Promise<Row[]> {
  const size = quick ? QUICK : FULL
  const fleet = await gatherFleet()
  try {
    const rows: Row[] = []
    for (const kind of kindsOf(fleet)) {
      rows.push(...(await commitRows(fleet, kind, { ...size.commits, say })))
      for (const streams of size.sizes)
        rows.push(
          ...(await steadyRows(
            fleet,
            { kind, streams, windows: size.windows, aimed: streams === AIMED_STREAMS },
            say,
          )),
        )
      rows.push(...(await resumeRows(fleet, { kind, streams: size.taken, runs: size.restarts, say })))
    }
    rows.push(...(await sharedRows(fleet, size, say)))
    rows.push(...(await simulatedRows({ ...size.simulated, say })))
    return rows
  } finally {
    await fleet.end()
  }
}

const kindsOf = ({ server }: Fleet): StorePlace['kind'][] =>
  server === null ? ['sqlite'] : ['sqlite', 'postgres']

async function sharedRows(fleet: Fleet, size: typeof FULL, say: BenchOptions['say']): Promise<Row[]> {
  return fleet.server === null
    ? [{ kind: 'missing', what: 'all that needs PostgreSQL', why: fleet.missing }]
    : takeoverRows(fleet, { streams: size.taken, runs: size.takeovers, say })
}
