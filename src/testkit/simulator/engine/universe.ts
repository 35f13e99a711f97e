import type { Event } from '../../../core/rollout/event.ts'
import type { ServiceState } from '../../../core/rollout/state.ts'
import { rememberWritten } from '../../../engine/decode.ts'
import type { Store } from '../../../ports/store.ts'
import { createStoreFake } from '../../fakes/store.ts'
import type { Truth } from './book.ts'
import type { SimulatedController } from './controller.ts'
import { startController } from './controller.ts'
import type { EffectOracle } from './effect-oracle.ts'
import { createEffectOracle } from './effect-oracle.ts'
import type { FreezeBoard } from './freeze-board.ts'
import { createFreezeBoard } from './freeze-board.ts'
import type { Inbox } from './inbox.ts'
import { createInbox } from './inbox.ts'
import type { Journal } from './journal.ts'
import { createJournal } from './journal.ts'
import type { Host, Life } from './life.ts'
import { createLife, START_OF_TIME_MS } from './life.ts'
import type { Network } from './network.ts'
import { createNetwork } from './network.ts'
import type { People } from './people.ts'
import { createPeople } from './people.ts'
import { createPlanes, type Plane, type Planes } from './planes.ts'
import { createPorts } from './ports.ts'
import type { SimulatedProviders } from './providers.ts'
import { createProviders } from './providers.ts'
import type { Random } from './random.ts'
import type { Scheduler } from './scheduler.ts'
import { createScheduler } from './scheduler.ts'
import type { Script } from './script.ts'
import { HOSTS } from './script.ts'
import { drawSettings } from './settings.ts'
import type { StaleReads } from './store-seat.ts'
import { createSeat } from './store-seat.ts'
import { createStriker } from './striker.ts'
import type { SimulatedTarget } from './target.ts'
import { createTarget } from './target.ts'
import type { Trace } from './trace.ts'
import { createTrace } from './trace.ts'

export const STREAM = 'shop.local'
const SETTINGS_COUNT = 4
const REQUESTS_PER_SECOND = 200
/** A controller that died is started again within this time, unless the script says when. */
const LONGEST_RESTART_MS = 3000

/** Where the controllers of one run keep their state. */
export type StoreSource = {
  /** A place at the same store for one more process. */
  open(): Promise<Store>
  /** The process that had this place is dead, and what dies with a process goes: a lock, never a lease. */
  abandon(store: Store): Promise<void>
  /** The run is over. */
  close(): Promise<void>
}

type Running = { life: Life; controller: SimulatedController; store: Store }
export type Machine = { host: Host; running: Running | null; lives: number }

/** Everything of one run: the world, those who act in it, and those who watch. */
export type Universe = {
  scheduler: Scheduler
  network: Network
  journal: Journal
  inbox: Inbox
  oracle: EffectOracle
  planes: Planes
  /** Which data plane a fault strikes. */
  struck(): Plane
  target: SimulatedTarget
  users: Planes['users']
  providers: SimulatedProviders
  people: People
  freezeBoard: FreezeBoard
  trace: Trace
  machines: ReadonlyMap<string, Machine>
  /** Ends the life on this machine; another begins after a while. */
  kill(host: string, downMs?: number): void
  start(host: string): void
  failure(): string | null
  violate(what: string): void
  /** Gives back what the run held. */
  end(): Promise<void>
}

export type UniverseOptions = { random: Random; script: Script; trace: boolean; source: StoreSource | null }

export function createUniverse(options: UniverseOptions): Universe {
  const { random, script } = options
  const scheduler = createScheduler(random.fork('order'))
  const trace = createTrace(options.trace, scheduler.now)
  const worldRandom = random.fork('world')
  let failure: string | null = null
  const violate = (what: string): void => {
    trace.line('VIOLATION', () => what)
    failure ??= `${(scheduler.now() / 1000).toFixed(3)}s ${what}`
  }

  const wallNow = (): number => START_OF_TIME_MS + Math.floor(scheduler.now())
  const target = createTarget(scheduler, { random: worldRandom, wallNow })
  const requestsPerSecond = REQUESTS_PER_SECOND
  const planes = createPlanes(scheduler, { target, random: worldRandom, wallNow, requestsPerSecond })
  const { users } = planes
  const harmful = script.signals?.harmful ?? null
  const isHarmful = (release: string): boolean => harmful !== null && release.startsWith(`v${harmful}-`)
  const providers = createProviders(isHarmful)
  const isBad = (release: string): boolean => users.qualityOf(release).errorShare > 0
  const journal = createJournal({
    now: scheduler.now,
    trace,
    violate,
    truth: truthOf(script, {
      isBad,
      isHarmful,
      hasLied: providers.hasLied,
      served: (release) => users.served(STREAM, release),
      reached: (salt, variant) => users.reached(STREAM, salt, variant),
      copied: (salt) => users.copied(STREAM, salt),
      wasEjectedAlone: (id) => planes.all.some(({ router }) => router.wasEjectedAlone(id)),
    }),
  })
  const inbox = createInbox({ violate })
  const oracle = createEffectOracle({ now: scheduler.now, journal, planes, target, violate })
  const drawn = drawSettings(random.fork('settings'), STREAM, SETTINGS_COUNT)
  const settings = script.signals === null ? drawn : drawn.map(script.signals.settings)
  const people = createPeople({ settings, book: journal.book, isBad, trace, violate })

  const freezeBoard = createFreezeBoard()
  const source = options.source ?? memorySource(script.shared, scheduler)
  const stale: StaleReads = new Map()
  const machines = new Map<string, Machine>()
  for (const name of script.shared ? HOSTS : [HOSTS[0]])
    machines.set(name, { host: { name, wallOffsetMs: 0 }, running: null, lives: 0 })

  const restartRandom = random.fork('restart')
  const network = createNetwork({
    scheduler,
    random: random.fork('network'),
    trace,
    kill: ({ host, isDead }) => {
      if (!isDead()) kill(host.name)
    },
  })

  function kill(name: string, downMs = restartRandom.int(50, LONGEST_RESTART_MS)): void {
    const machine = machines.get(name)
    if (machine?.running === undefined || machine.running === null) return
    const { life, store } = machine.running
    machine.running = null
    life.end()
    network.note('controller died')
    trace.line(life.name, () => 'dies')
    scheduler.waitFor(source.abandon(store))
    scheduler.after(downMs, () => start(name))
  }

  function start(name: string): void {
    const machine = machines.get(name)
    if (machine === undefined || machine.running !== null) return
    machine.lives += 1
    const life = createLife(scheduler, machine.host, machine.lives)
    const begin = (store: Store): void => {
      const seat = createSeat({ life, store, journal, inbox, before: stale })
      const ports = createPorts({
        life,
        scheduler,
        network,
        seat,
        planes,
        target,
        providers,
        inbox,
        freezeBoard,
        oracle,
      })
      trace.line(life.name, () => 'starts')
      const controller = startController({ life, ports, random: random.fork(life.name), trace })
      machine.running = { life, controller, store }
    }
    scheduler.waitFor(source.open().then(begin))
  }

  return {
    scheduler,
    network,
    journal,
    inbox,
    oracle,
    planes,
    struck: createStriker(random, { planes, settings, script, scheduler }),
    target,
    users,
    providers,
    people,
    freezeBoard,
    trace,
    machines,
    kill,
    start,
    failure: () => failure,
    violate,
    end: async () => {
      for (const { running } of machines.values()) {
        running?.life.end()
        if (running !== null) await source.abandon(running.store)
      }
      await source.close()
    },
  }
}

function truthOf(
  { moves, isCalm }: Script,
  world: Pick<Truth, 'isBad' | 'isHarmful' | 'hasLied' | 'served' | 'reached' | 'copied' | 'wasEjectedAlone'>,
): Truth {
  const faults = moves.flatMap((move) => (move.kind === 'metrics' ? [move.fault] : []))
  const cuts = moves.some(
    (move) =>
      (move.kind === 'call' && move.method === 'metrics.query') ||
      (move.kind === 'cut' && move.part === 'metrics'),
  )
  const numbersAreTrue = !faults.some((fault) => fault === 'frozen' || fault === 'backwards')
  return {
    ...world,
    isCalm,
    clocksAreRight: !moves.some(({ kind }) => kind === 'clock'),
    countersAreWhole: numbersAreTrue && !moves.some(({ kind }) => kind === 'wipe'),
    numbersAreTrue,
    numbersAreComplete: faults.length === 0 && !cuts,
  }
}

function memorySource(shared: boolean, scheduler: Scheduler): StoreSource {
  const clock = { now: () => START_OF_TIME_MS + scheduler.now(), monotonic: scheduler.now }
  const { open } = createStoreFake({ shared, clock, trusting: true })
  return {
    open: async () => {
      const store = open()
      const append: Store['append'] = async (request) => {
        const appended = await store.append(request)
        const events = request.events.map(({ event }) => event as Event)
        if (appended.kind === 'ok') rememberWritten(request.state as ServiceState, events)
        return appended
      }
      return { ...store, append }
    },
    // A dead controller of a shared store leaves its leases behind; they run out.
    abandon: async (store) => {
      if (!shared) await store.close()
    },
    close: async () => undefined,
  }
}
