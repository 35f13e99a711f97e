import type { Alert } from '../../../core/shared/alert.ts'
import { type EjectMove, ejectMoves } from './eject-moves.ts'
import type { CallFault, Part } from './network.ts'
import type { Random } from './random.ts'
import { LONG_WATCH, SHORT_DEADLINE, WITH_BREAKER } from './settings.ts'
import type { ProviderFault, Signals } from './signals.ts'
import { drawSignals } from './signals.ts'
import type { Behaviour } from './target.ts'
import type { MetricFault } from './users.ts'

export const HOSTS = ['A', 'B'] as const
export const VERSIONS = ['1', '2', '3', '4'] as const

export type PersonCommand =
  | { kind: 'deploy'; version: string; settings: number; now: boolean; isBad: boolean }
  | { kind: 'rollback-to' }
  | { kind: 'jump'; weightPermille: number }
  | {
      kind:
        | 'pause'
        | 'resume'
        | 'abort'
        | 'promote'
        | 'promote-full'
        | 'rollback'
        | 'discard'
        | 'close-breaker'
    }

/** One thing that happens to the world at its time. */
export type Move = { at: number } & (
  | { kind: 'command'; host: string; command: PersonCommand }
  | { kind: 'call'; method: string; fault: CallFault }
  | { kind: 'cut'; part: Part; host: string | null; forMs: number }
  | { kind: 'metrics'; fault: MetricFault; forMs: number }
  | { kind: 'edit'; to: string }
  /** Another tool sets the same weights again and again. */
  | { kind: 'fight'; everyMs: number; forMs: number }
  | { kind: 'revert' }
  | { kind: 'wipe' }
  | { kind: 'crash-instances'; version: string; count: number }
  | { kind: 'flap'; version: string; forMs: number }
  /** One instance of several fails its checks for a while. */
  | { kind: 'limp'; version: string; forMs: number }
  | { kind: 'behave'; version: string; behaviour: Behaviour }
  | EjectMove
  | { kind: 'reboot' }
  | { kind: 'freeze'; forMs: number }
  | { kind: 'kill'; host: string; downMs: number }
  | { kind: 'stop-process'; host: string; forMs: number }
  | { kind: 'clock'; host: string; byMs: number }
  /** Drawn apart, with what the world declares (`signals.ts`). */
  | { kind: 'provider'; metric: string; fault: ProviderFault; forMs: number }
  | { kind: 'alerts'; host: string; alerts: Alert[] }
)

export type Script = {
  moves: Move[]
  /** Nothing new goes wrong after this. */
  healAt: number
  /** Several controllers on one store, or one with a store of its own. */
  shared: boolean
  /** Nothing goes wrong at all. */
  isCalm: boolean
  /** What this world declares beyond the checks that are always made. */
  signals: Signals | null
}

const CALLS = {
  store: [
    'load',
    'append',
    'append',
    'append',
    'claim',
    'renew',
    'pendingMessages',
    'settleMessage',
    'getDocument',
  ],
  effects: [
    'router.setRoutes',
    'router.setRoutes',
    'target.start',
    'target.stop',
    'router.readState',
    'target.observe',
  ],
  /** Calls that are few, or that change nothing. */
  rare: [
    'store.join',
    'store.release',
    'store.raiseEpoch',
    'store.putDocument',
    'store.events',
    'store.streams',
    'freezes.read',
    'metrics.query',
    'notifier.send',
  ],
}
/** Share of the seeds in which a rare call or part is struck. */
const RARE_SHARE = 0.25
const GROUPS = [
  'commands',
  'crash',
  'stop',
  'store',
  'effects',
  'router',
  'instances',
  'metrics',
  'clock',
  'notifier',
] as const
type Group = (typeof GROUPS)[number]

/**
 * What will happen, drawn before anything does, so that a move can be left out and the others stay where they are. Each seed
 * has some groups of faults only: combinations of few, over many seeds, find more than all of them at once.
 */
export function writeScript(random: Random, { embeddedOnly }: { embeddedOnly: boolean }): Script {
  const shared = !embeddedOnly && random.chance(0.5)
  const isCalm = random.chance(0.12)
  const groups = GROUPS.filter(() => random.chance(0.4))
  const spanMs = random.int(4, 15) * 1000
  const moves: Move[] = [deploy(random, 50, shared, { first: true })]
  const later = random.int(1, 3)
  for (let index = 0; index < later; index += 1)
    moves.push(deploy(random, random.int(2500, spanMs), shared, { first: false }))
  if (!isCalm)
    for (const group of groups)
      for (let count = random.int(1, 5); count > 0; count -= 1)
        moves.push({ at: random.int(0, spanMs), ...drawn(random, group, shared) })
  if (!isCalm) moves.push(...slyMoves(random.fork('sly'), moves, { spanMs, shared }))
  if (!isCalm) moves.push(...rareMoves(random.fork('rare'), spanMs, shared))
  moves.sort((a, b) => a.at - b.at)
  const hosts = shared ? HOSTS : HOSTS.slice(0, 1)
  const deploys = deploysIn(moves)
  const signals = drawSignals(random.fork('signals'), { spanMs, hosts, deploys, isCalm })
  // At the end, so that the others keep their numbers.
  moves.push(...(signals === null ? [] : signalMoves(signals)))
  moves.push(...jumps(random.fork('jumps'), spanMs, hosts))
  if (!isCalm) moves.push(...limps(random.fork('limps'), moves))
  if (!isCalm) moves.push(...ejectMoves(random.fork('ejections'), deploys))
  return { moves, healAt: signals?.healAt ?? spanMs + 1000, shared, isCalm, signals }
}

const signalMoves = ({ deploy: { at, host, version, settings }, moves }: Signals): Move[] => [
  { at, kind: 'command', host, command: { ...deployOf(version, settings), now: true } },
  ...moves,
]

const deploysIn = (moves: readonly Move[]): { at: number; version: string }[] =>
  moves.flatMap(({ at, ...move }) =>
    move.kind === 'command' && move.command.kind === 'deploy' ? [{ at, version: move.command.version }] : [],
  )

const SLY_SHARE = 0.15

/** Faults that need an aim, or they would hardly ever meet what they are for. */
function slyMoves(
  random: Random,
  moves: readonly Move[],
  { spanMs, shared }: { spanMs: number; shared: boolean },
): Move[] {
  const { at, version } = random.pick(deploysIn(moves))
  const host = hostOf(random, shared)
  const sly: Move[] = []
  if (random.chance(SLY_SHARE))
    sly.push({ at, kind: 'fight', everyMs: random.int(300, 900), forMs: Math.min(8000, spanMs - at) })
  if (random.chance(SLY_SHARE))
    sly.push({ at: at + random.int(500, 5000), kind: 'limp', version, forMs: random.int(1000, 6000) })
  if (random.chance(SLY_SHARE)) sly.push(...slowStart(random, host))
  if (random.chance(SLY_SHARE)) sly.push(...blindWatch(random, host))
  if (random.chance(SLY_SHARE)) sly.push(...badReturn(random, random.int(2000, spanMs), host))
  if (random.chance(SLY_SHARE)) sly.push(...stubborn(random, host))
  if (random.chance(SLY_SHARE)) sly.push(...lateAbort(random, at + random.int(1500, 6000), host))
  return sly.filter((move) => move.at <= spanMs)
}

/** A start that takes longer than it may, of which a part does not count. */
function slowStart(random: Random, host: string): Move[] {
  const [at, pausedMs] = [random.int(2000, 6000), random.int(1000, 3000)]
  const version = random.pick(VERSIONS)
  return [
    { at: at - 10, kind: 'behave', version, behaviour: 'slow' },
    { at, kind: 'command', host, command: deployOf(version, SHORT_DEADLINE) },
    { at: at + 1000, kind: 'command', host, command: { kind: 'pause' } },
    { at: at + 1000 + pausedMs, kind: 'command', host, command: { kind: 'resume' } },
  ]
}

/** The numbers end in the middle of a watch that is long enough for them to grow old. */
function blindWatch(random: Random, host: string): Move[] {
  const at = random.int(1500, 3000)
  return [
    { at, kind: 'command', host, command: deployOf(random.pick(VERSIONS), LONG_WATCH) },
    { at: at + random.int(1500, 6000), kind: 'metrics', fault: 'no-data', forMs: 8000 },
  ]
}

const deployOf = (version: string, settings: number): Extract<PersonCommand, { kind: 'deploy' }> => ({
  ...{ kind: 'deploy', version, settings },
  ...{ now: false, isBad: false },
})

/** Somebody ends the watch, and somebody else gives up just then. */
function lateAbort(random: Random, at: number, host: string): Move[] {
  return [
    { at, kind: 'command', host, command: { kind: 'promote' } },
    { at: at + random.int(50, 500), kind: 'command', host, command: { kind: 'abort' } },
  ]
}

/** Somebody deploys a version that fails again and again, where a breaker counts that. */
function stubborn(random: Random, host: string): Move[] {
  const [version, from, everyMs] = [random.pick(VERSIONS), random.int(2000, 4000), random.int(2000, 4000)]
  const command = { kind: 'deploy' as const, version, settings: WITH_BREAKER, now: false, isBad: true }
  return [0, 1, 2, 3].map((time) => ({ at: from + time * everyMs, kind: 'command', host, command }))
}

/** Somebody gives up while the way back is hard: stable is not well, or the router is away and the controller dies. */
function badReturn(random: Random, at: number, host: string): Move[] {
  const abort: Move = { at, kind: 'command', host, command: { kind: 'abort' } }
  if (random.chance(0.5))
    return [
      { at: at - random.int(300, 800), kind: 'flap', version: '1', forMs: random.int(1500, 4000) },
      abort,
    ]
  return [
    { at: at - 100, kind: 'cut', part: 'router', host: null, forMs: random.int(2000, 5000) },
    abort,
    { at: at + random.int(200, 1500), kind: 'kill', host, downMs: random.int(100, 2000) },
  ]
}

const LIMPS_SHARE = 0.3

/** One instance of a version fails its checks while its steps go on. */
const limps = (random: Random, moves: readonly Move[]): Move[] =>
  moves.flatMap((move): Move[] => {
    if (move.kind !== 'command' || move.command.kind !== 'deploy' || !random.chance(LIMPS_SHARE)) return []
    const at = move.at + random.int(700, 3500)
    return [{ at, kind: 'limp', version: move.command.version, forMs: random.int(800, 3000) }]
  })

const JUMPS_SHARE = 0.25

/** Somebody goes to another step, ahead or back, whether there is one or not. */
function jumps(random: Random, spanMs: number, hosts: readonly string[]): Move[] {
  if (!random.chance(JUMPS_SHARE)) return []
  return Array.from({ length: random.int(1, 3) }, (): Move => {
    const command = { kind: 'jump' as const, weightPermille: random.pick([50, 100, 500, 1000]) }
    return { at: random.int(0, spanMs), kind: 'command', host: random.pick(hosts), command }
  })
}

/** Drawn apart, so that what strikes seldom leaves the rest of the script as it is. */
function rareMoves(random: Random, spanMs: number, shared: boolean): Move[] {
  if (!random.chance(RARE_SHARE)) return []
  return Array.from({ length: random.int(1, 4) }, () => ({
    at: random.int(0, spanMs),
    ...drawnRarely(random, shared),
  }))
}

function drawnRarely(random: Random, shared: boolean): Drawn<Move> {
  if (random.chance(0.25))
    return {
      kind: 'cut',
      part: random.pick(['metrics', 'freezes']),
      host: random.chance(0.5) ? hostOf(random, shared) : null,
      forMs: random.int(300, 6000),
    }
  const method = random.pick(CALLS.rare)
  const faults: CallFault[] = ['crash-before', 'crash-after', 'lose-request', 'lose-answer', 'slow']
  // What is asked of a database comes once or not at all; a message may come twice.
  return {
    kind: 'call',
    method,
    fault: random.pick(method === 'notifier.send' ? [...faults, 'double'] : faults),
  }
}

const hostOf = (random: Random, shared: boolean): string => (shared ? random.pick(HOSTS) : HOSTS[0])

function deploy(random: Random, at: number, shared: boolean, { first }: { first: boolean }): Move {
  const version = first ? '1' : random.pick(VERSIONS)
  const isBad = !first && random.chance(0.2)
  const settings = first || random.chance(0.6) ? 0 : random.int(1, 3)
  const command = { kind: 'deploy' as const, version, settings, now: random.chance(0.2), isBad }
  return { at, kind: 'command', host: hostOf(random, shared), command }
}

type Drawn<T> = T extends unknown ? Omit<T, 'at'> : never

function drawn(random: Random, group: Group, shared: boolean): Drawn<Move> {
  const host = hostOf(random, shared)
  const version = random.pick(VERSIONS)
  switch (group) {
    case 'commands':
      if (random.chance(0.15)) return { kind: 'freeze', forMs: random.int(500, 8000) }
      return { kind: 'command', host, command: personCommand(random) }
    case 'crash':
      return random.chance(0.3)
        ? { kind: 'kill', host, downMs: random.int(100, 6000) }
        : { kind: 'call', method: anyCall(random), fault: random.pick(['crash-before', 'crash-after']) }
    case 'stop':
      return { kind: 'stop-process', host, forMs: random.int(200, 9000) }
    case 'store':
      return storeTrouble(random, host)
    case 'effects':
      return {
        kind: 'call',
        method: random.pick(CALLS.effects),
        fault: random.pick(['lose-request', 'lose-answer', 'double', 'slow', 'slow', 'half']),
      }
    case 'router':
      return routerTrouble(random, version)
    case 'instances':
      return instanceTrouble(random, version)
    case 'metrics':
      return {
        kind: 'metrics',
        fault: random.pick(['no-data', 'failure', 'nan', 'frozen', 'backwards']),
        forMs: random.int(500, 15_000),
      }
    case 'clock':
      return { kind: 'clock', host, byMs: random.pick([-600_000, -5000, -1500, 1500, 5000, 3_600_000]) }
    case 'notifier':
      return random.chance(0.3)
        ? { kind: 'cut', part: 'notifier', host: null, forMs: random.int(200, 4000) }
        : {
            kind: 'call',
            method: 'notifier.send',
            fault: random.pick(['lose-request', 'lose-answer', 'slow', 'crash-after']),
          }
  }
}

function personCommand(random: Random): PersonCommand {
  if (random.chance(0.25)) {
    const settings = random.chance(0.5) ? 0 : random.int(1, 3)
    return { kind: 'deploy', version: random.pick(VERSIONS), settings, now: random.chance(0.4), isBad: false }
  }
  return {
    kind: random.pick([
      'pause',
      'resume',
      'abort',
      'promote',
      'promote-full',
      'rollback',
      'rollback-to',
      'discard',
    ]),
  }
}

const anyCall = (random: Random): string =>
  random.chance(0.4)
    ? `store.${random.pick(CALLS.store)}`
    : random.pick([...CALLS.effects, 'metrics.query', 'notifier.send'])

function storeTrouble(random: Random, host: string): Drawn<Move> {
  if (random.chance(0.25))
    return {
      kind: 'cut',
      part: 'store',
      host: random.chance(0.5) ? host : null,
      forMs: random.int(300, 8000),
    }
  const method = random.pick(CALLS.store)
  const special: CallFault[] =
    method === 'append' ? ['conflict', 'conflict'] : method === 'load' ? ['stale', 'stale'] : []
  const fault = random.pick<CallFault>(['lose-request', 'lose-answer', 'slow', ...special])
  return { kind: 'call', method: `store.${method}`, fault }
}

function routerTrouble(random: Random, version: string): Drawn<Move> {
  const roll = random.next()
  if (roll < 0.35) return { kind: 'edit', to: version }
  if (roll < 0.5) return { kind: 'revert' }
  if (roll < 0.6) return { kind: 'wipe' }
  if (roll < 0.75) return { kind: 'call', method: 'router.setRoutes', fault: 'half' }
  return { kind: 'cut', part: 'router', host: null, forMs: random.int(300, 6000) }
}

function instanceTrouble(random: Random, version: string): Drawn<Move> {
  const roll = random.next()
  if (roll < 0.3) return { kind: 'crash-instances', version, count: random.int(1, 3) }
  if (roll < 0.55) return { kind: 'flap', version, forMs: random.int(100, 3000) }
  if (roll < 0.65) return { kind: 'reboot' }
  if (roll < 0.8) return { kind: 'cut', part: 'target', host: null, forMs: random.int(300, 6000) }
  return { kind: 'behave', version, behaviour: random.pick(['never-ready', 'crash-loop', 'refused']) }
}
