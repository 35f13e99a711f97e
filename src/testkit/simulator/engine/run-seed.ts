import type { Book } from './book.ts'
import { describeWait, endChecks, isAtRest, isInForce } from './end-checks.ts'
import { START_OF_TIME_MS } from './life.ts'
import { ask, describe, make } from './moves.ts'
import { createRandom } from './random.ts'
import type { Move, Script } from './script.ts'
import { HOSTS, writeScript } from './script.ts'
import { releaseIdOf } from './settings.ts'
import type { StoreSource, Universe } from './universe.ts'
import { createUniverse, STREAM } from './universe.ts'

/** After the faults are over, each rollout must get somewhere within this time. */
const SETTLE_LIMIT_MS = 120_000
/** A message that failed a few times waits for minutes. */
const MESSAGES_LIMIT_MS = 400_000
const CHECK_EVERY_MS = 500
/** How often somebody attends to what waits for a person. */
const PERSON_EVERY_MS = 4000
/** Nobody asks for anything, nothing changes: nothing may be written in this time. */
const QUIET_MS = 3000
const LAST_VERSION = 'last'

export type SeedOptions = {
  seed: number
  trace?: boolean
  /** Moves that are left out, by their number. */
  without?: ReadonlySet<number>
  /** No new move after this moment. */
  untilMs?: number
  /** In place of the store in memory; one controller then. */
  source?: StoreSource
}

export type SeedReport = {
  seed: number
  failure: string | null
  outcomes: Record<string, number>
  rollouts: number
  /** Faults by kind that truly happened. */
  faults: Record<string, number>
  virtualMs: number
  /** What happens in this seed, numbered as `without` names it. */
  moves: string[]
  trace: readonly string[]
}

/** Runs one seed from the first start to the last quiet second. The same options give the same run, to the byte. */
export async function runSeed(options: SeedOptions): Promise<SeedReport> {
  const { seed, source = null } = options
  const random = createRandom(seed)
  const script = writeScript(random.fork('script'), { embeddedOnly: source !== null })
  const universe = createUniverse({ random, script, trace: options.trace ?? false, source })
  const threw = (error: unknown): void =>
    universe.violate(
      `something threw: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
    )
  process.on('unhandledRejection', threw)
  try {
    await live(universe, script, options)
  } catch (error) {
    threw(error)
  }
  process.off('unhandledRejection', threw)
  await universe.end()
  return reportOf(universe, script, seed)
}

/** A message that was tried under a clock that was ahead waits by that clock, so it may take an hour. */
const setsClock = (move: Move): boolean => move.kind === 'clock' && move.byMs > 60_000

async function live(
  universe: Universe,
  script: Script,
  { without, untilMs = Infinity }: SeedOptions,
): Promise<void> {
  const { scheduler, machines, failure } = universe
  for (const host of machines.keys()) universe.start(host)
  script.moves.forEach((move, index) => {
    if (without?.has(index) !== true && move.at <= untilMs)
      scheduler.after(move.at, () => make(universe, move))
  })
  await scheduler.runUntil(script.healAt, () => failure() !== null)
  heal(universe)
  const book = universe.journal.book(STREAM)
  const rests = await waitFor(
    universe,
    () => isEveryoneAwake(universe) && isAtRest(book.state, trueNow(universe)) && isInForce(universe, book),
    SETTLE_LIMIT_MS,
  )
  if (!rests) return stuck(universe, book)
  await lastDeploy(universe, book)
  const messagesAreDue = !script.moves.some(setsClock)
  if (messagesAreDue) await waitFor(universe, () => universe.inbox.missing().length === 0, MESSAGES_LIMIT_MS)
  await quiet(universe, book, messagesAreDue)
}

/** From here on nothing goes wrong any more; what is broken is mended. */
function heal({
  network,
  target,
  users,
  providers,
  freezeBoard,
  machines,
  planes,
  trace,
  ...universe
}: Universe): void {
  trace.line('script', () => 'the faults are over')
  network.heal()
  target.heal()
  users.heal()
  for (const { router } of planes.all) router.takeBack()
  providers.heal()
  freezeBoard.lift()
  for (const [name, { host }] of machines) {
    host.wallOffsetMs = 0
    universe.start(name)
  }
}

/** Lets time go by until it is so; meanwhile a person answers what waits for one. */
async function waitFor(universe: Universe, isSo: () => boolean, limitMs: number): Promise<boolean> {
  const { scheduler, failure, journal } = universe
  const end = scheduler.now() + limitMs
  let attendedAt = scheduler.now()
  while (!isSo() && failure() === null && scheduler.now() < end) {
    await scheduler.runUntil(scheduler.now() + CHECK_EVERY_MS, () => failure() !== null)
    if (scheduler.now() - attendedAt < PERSON_EVERY_MS) continue
    attendedAt = scheduler.now()
    attend(universe, journal.book(STREAM))
  }
  return isSo()
}

/** No controller sleeps, and no question of a person is open. */
const isEveryoneAwake = ({ machines, people }: Universe): boolean =>
  people.waiting() === 0 && [...machines.values()].every(({ running }) => running?.life.isStopped() === false)

const trueNow = ({ scheduler }: Universe): number => START_OF_TIME_MS + scheduler.now()

function attend(universe: Universe, { state }: Book): void {
  const { rollout, breaker, drift } = state
  const paused = rollout?.phase.kind === 'running' ? rollout.phase.paused : null
  const step = rollout?.plan.steps[rollout.stepIndex]?.step
  if (breaker !== null) ask(universe, HOSTS[0], { kind: 'close-breaker' })
  const isManual = (step?.kind === 'gate' || step?.kind === 'observe') && step.durationMs === null
  if (rollout?.phase.kind === 'running' && isManual) ask(universe, HOSTS[0], { kind: 'promote' })
  if (drift?.held === true || paused !== null)
    ask(universe, HOSTS[0], { kind: paused?.failed === true ? 'abort' : 'resume' })
}

function stuck(universe: Universe, { state }: Book): void {
  if (universe.failure() !== null) return
  universe.violate(
    `liveness: no rest ${SETTLE_LIMIT_MS} ms after the faults: ${describeWait(state, START_OF_TIME_MS + universe.scheduler.now())}`,
  )
}

/** A good version, with nothing wrong any more, is promoted, whatever was before. */
async function lastDeploy(universe: Universe, book: Book): Promise<void> {
  const release = releaseIdOf(LAST_VERSION, 0)
  ask(universe, HOSTS[0], { kind: 'deploy', version: LAST_VERSION, settings: 0, now: false, isBad: false })
  const isPromoted = await waitFor(
    universe,
    () => book.state.stable?.release === release && isAtRest(book.state, trueNow(universe)),
    SETTLE_LIMIT_MS,
  )
  if (isPromoted || universe.failure() !== null) return
  universe.violate(
    `liveness: a good version was not promoted without faults: ${describeWait(book.state, trueNow(universe))}`,
  )
}

/** INV9: a reconcile with nothing to do writes nothing, neither here nor there. */
async function quiet(universe: Universe, book: Book, messagesAreDue: boolean): Promise<void> {
  const { scheduler, oracle, failure, violate } = universe
  if (failure() !== null) return
  await scheduler.runUntil(scheduler.now() + QUIET_MS, () => failure() !== null)
  // A message that a channel refused comes again after its back-off, which is longer than this rest.
  const isTold = universe.inbox.missing().length === 0
  const done = () => ({
    revision: book.revision,
    writes: oracle.writes(),
    messages: isTold ? universe.inbox.count() : null,
  })
  const before = done()
  await scheduler.runUntil(scheduler.now() + QUIET_MS, () => failure() !== null)
  const after = done()
  if (JSON.stringify(before) !== JSON.stringify(after))
    violate(
      `INV9: nothing is to be done, and ${JSON.stringify(before)} becomes ${JSON.stringify(after)}: ${book.events.at(-1)?.event.kind}`,
    )
  const running = [...universe.machines.values()].find((machine) => machine.running !== null)?.running
  if (running !== undefined && running !== null && failure() === null)
    await endChecks(universe, { store: running.store, messagesAreDue })
}

function reportOf(universe: Universe, { moves }: Script, seed: number): SeedReport {
  const events = universe.journal.books().flatMap((book) => book.events)
  const outcomes: Record<string, number> = {}
  for (const { event } of events)
    if (event.kind === 'outcome-reached') outcomes[event.outcome] = (outcomes[event.outcome] ?? 0) + 1
  return {
    seed,
    failure: universe.failure(),
    outcomes,
    rollouts: events.filter(({ event }) => event.kind === 'rollout-started').length,
    faults: { ...universe.network.struck() },
    virtualMs: Math.round(universe.scheduler.now()),
    moves: moves.map((move, index) => `${index}: ${describe(move)}`),
    trace: universe.trace.lines(),
  }
}
