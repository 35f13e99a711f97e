import * as fc from 'fast-check'
import { actByHand, HAND, type Hand } from './by-hand.ts'
import type { Knowledge } from './knowledge.ts'
import { block, type Deploy, deploy, deployAndWatch, plan, rollbackTo, unblock } from './on-releases.ts'
import {
  freeze,
  history,
  killController,
  killInstance,
  status,
  unfreeze,
  wait,
  waitForTurn,
} from './on-the-whole.ts'
import type { Face } from './order.ts'
import { ALL, GOOD, type Shop, type Version } from './shop.ts'

type Run = (known: Knowledge, shop: Shop) => Promise<void>

/** One thing somebody does. All of them are possible at any moment: what is refused is part of the promise. */
class Deed implements fc.AsyncCommand<Knowledge, Shop> {
  readonly name: string
  readonly does: Run

  constructor(name: string, does: Run) {
    this.name = name
    this.does = does
  }

  check(): boolean {
    return true
  }

  async run(known: Knowledge, shop: Shop): Promise<void> {
    if (process.env.SLUICE_MODEL_TRACE === '1') console.log(`${new Date().toISOString()} ${this.name}`)
    await this.does(known, shop)
  }

  toString(): string {
    return this.name
  }
}

const face = fc.constantFrom('cli' as const, 'api' as const)
const anyVersion = fc.constantFrom(...ALL)
const goodVersion = fc.constantFrom(...GOOD)
const LONGEST_WAIT_MS = 2500

const byHandBy = (hand: Hand, by: Face) =>
  new Deed(`${hand} (${by})`, (known, shop) => actByHand(known, shop, hand, by))
const deployBy = (order: Deploy) =>
  new Deed(`deploy ${order.version} ${order.how} (${order.face})`, (known, shop) =>
    deploy(known, shop, order),
  )
const freezeBy = (by: Face) => new Deed(`freeze (${by})`, (known, shop) => freeze(known, shop, by))
const unfreezeBy = (by: Face) => new Deed(`unfreeze (${by})`, (known, shop) => unfreeze(known, shop, by))
const onReleaseBy = (name: keyof typeof ON_RELEASE, { version, by }: { version: Version; by: Face }) =>
  new Deed(`${name} ${version} (${by})`, (known, shop) => ON_RELEASE[name](known, shop, version, by))
const ON_RELEASE = { block, unblock, rollbackTo }
const planOf = (version: Version) => new Deed(`plan ${version}`, (known, shop) => plan(known, shop, version))
const STATUS = new Deed('status', status)
const HISTORY = new Deed('history', history)
const KILL_CONTROLLER = new Deed('kill the controller, and up', killController)
const MY_TURN = new Deed('wait for my turn', waitForTurn)

const deploys = fc
  .tuple(
    fc.oneof(goodVersion, anyVersion),
    face,
    fc.constantFrom(
      '' as const,
      '' as const,
      '--now' as const,
      '--retry' as const,
      '--full' as const,
      '--no-wait' as const,
    ),
  )
  .map(([version, by, how]) => deployBy({ version, face: by, how }))
const byHand = (hand: Hand) => face.map((by) => byHandBy(hand, by))
const anyHand = fc.constantFrom(...Object.keys(HAND).filter(isHand)).chain(byHand)
const onRelease = fc
  .tuple(fc.constantFrom('block' as const, 'unblock' as const, 'rollbackTo' as const), anyVersion, face)
  .map(([name, version, by]) => onReleaseBy(name, { version, by }))
const freezes = face.map(freezeBy)
const unfreezes = face.map(unfreezeBy)
const reads = fc.oneof(fc.constantFrom(STATUS, HISTORY), anyVersion.map(planOf))
const watched = anyVersion.map(
  (version) => new Deed(`deploy ${version} and watch`, (known, shop) => deployAndWatch(known, shop, version)),
)
const kills = fc.oneof(
  fc.constant(KILL_CONTROLLER),
  fc
    .nat({ max: 5 })
    .map((which) => new Deed(`kill instance ${which}`, async (_, shop) => killInstance(shop, which))),
)
const waits = fc.oneof(
  fc.constant(MY_TURN),
  fc
    .integer({ min: 100, max: LONGEST_WAIT_MS })
    .map((ms) => new Deed(`wait ${ms} ms`, (known, shop) => wait(known, shop, ms))),
)

/** In about the shares in which they lead to new places. */
export const deeds = (most: number, replayPath: string | null) =>
  fc.commands(
    [
      ...Array.from({ length: 7 }, () => deploys),
      ...Array.from({ length: 4 }, () => byHand('promote')),
      ...Array.from({ length: 4 }, () => anyHand),
      ...Array.from({ length: 3 }, () => onRelease),
      ...Array.from({ length: 5 }, () => waits),
      ...[watched, freezes, unfreezes, unfreezes, reads, kills],
    ],
    { maxCommands: most, size: 'max', ...(replayPath === null ? {} : { replayPath }) },
  )

/** Every order once, where it matters: also the places that chance seldom finds. */
export const TOUR: readonly Deed[] = [
  deployBy({ version: '1.1.0', face: 'cli', how: '' }),
  MY_TURN,
  byHandBy('promote --full', 'api'),
  new Deed('wait 500 ms', (known, shop) => wait(known, shop, 500)),
  byHandBy('promote --full', 'api'),
  byHandBy('promote', 'cli'),
  MY_TURN,
  onReleaseBy('block', { version: '1.0.0', by: 'api' }),
  byHandBy('rollback', 'cli'),
  planOf('1.0.0'),
  onReleaseBy('unblock', { version: '1.0.0', by: 'cli' }),
  byHandBy('rollback', 'api'),
  MY_TURN,
  freezeBy('cli'),
  deployBy({ version: '1.5.0', face: 'cli', how: '' }),
  STATUS,
  unfreezeBy('cli'),
  KILL_CONTROLLER,
  byHandBy('pause', 'cli'),
  byHandBy('resume', 'cli'),
  MY_TURN,
  byHandBy('abort', 'cli'),
  byHandBy('discard', 'api'),
  onReleaseBy('rollbackTo', { version: '1.1.0', by: 'cli' }),
  HISTORY,
]

function isHand(name: string): name is Hand {
  return name in HAND
}
