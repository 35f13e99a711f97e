import type { CallFault, Part } from './network.ts'
import type { Random } from './random.ts'
import type { Behaviour } from './target.ts'
import type { MetricFault } from './users.ts'

export const HOSTS = ['A', 'B'] as const
export const VERSIONS = ['1', '2', '3', '4'] as const

export type PersonCommand =
  | { kind: 'deploy'; version: string; settings: number; now: boolean; isBad: boolean }
  | { kind: 'rollback-to' }
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
  | { kind: 'revert' }
  | { kind: 'wipe' }
  | { kind: 'crash-instances'; version: string; count: number }
  | { kind: 'flap'; version: string; forMs: number }
  | { kind: 'behave'; version: string; behaviour: Behaviour }
  | { kind: 'reboot' }
  | { kind: 'freeze'; forMs: number }
  | { kind: 'kill'; host: string; downMs: number }
  | { kind: 'stop-process'; host: string; forMs: number }
  | { kind: 'clock'; host: string; byMs: number }
)

export type Script = {
  moves: Move[]
  /** Nothing new goes wrong after this. */
  healAt: number
  /** Several controllers on one store, or one with a store of its own. */
  shared: boolean
  /** Nothing goes wrong at all. */
  isCalm: boolean
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
}
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
  moves.sort((a, b) => a.at - b.at)
  return { moves, healAt: spanMs + 1000, shared, isCalm }
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
