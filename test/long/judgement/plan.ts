import { createRandom, type Random } from '../../../src/testkit/simulator/engine/random.ts'

export const BAD_KINDS = ['errors', 'slow', 'crash'] as const
export type Kind = 'good' | (typeof BAD_KINDS)[number]

/** What `payment.js` reads. Half of the requests are payments, so a share of requests is half a share of payments. */
type Weakness = {
  seed: number
  failingShare: number
  slowShare: number
  slowMs: number
  /** Between once and twice this after an instance's first payment; `null`: never. */
  exitsAfterMs: number | null
}

export type Version = { version: string; kind: Kind; weakness: Weakness }
/** A service with its first version and those it is to be released after that, in this order. */
export type Line = { service: string; loadSeed: number; first: Version; next: Version[] }

const SERVICES = 6
const GOOD_EACH = 5
const BAD_EACH = 5
const PAYMENTS_SHARE = 0.5
/** 0.3% of the requests of every version fail: without errors there are no false alarms. */
const EVERY_DAY = { failingShare: 0.003 / PAYMENTS_SHARE, slowShare: 0, slowMs: 0, exitsAfterMs: null }
const WEAKNESSES: Record<Kind, Omit<Weakness, 'seed'>> = {
  good: EVERY_DAY,
  errors: { ...EVERY_DAY, failingShare: 0.05 / PAYMENTS_SHARE },
  slow: { ...EVERY_DAY, slowShare: 0.04 / PAYMENTS_SHARE, slowMs: 600 },
  crash: { ...EVERY_DAY, exitsAfterMs: 2000 },
}

/** 30 good and 30 bad versions, ten of each bad kind, over the services in an order that the seed says. */
export function planOf(seed: number): Line[] {
  return Array.from({ length: SERVICES }, (_, index) => {
    const service = `shop-${index + 1}`
    const random = createRandom(seed).fork(service)
    const bad = Array.from(
      { length: BAD_EACH },
      (_, at) => BAD_KINDS[(index * BAD_EACH + at) % 3] ?? 'errors',
    )
    const kinds = shuffled([...Array.from({ length: GOOD_EACH }, () => 'good' as const), ...bad], random)
    const versionOf = (kind: Kind, number: number): Version => ({
      version: `1.${number}.0`,
      kind,
      weakness: { seed: random.int(1, 2 ** 31), ...WEAKNESSES[kind] },
    })
    return {
      service,
      loadSeed: random.int(1, 2 ** 31),
      first: versionOf('good', 0),
      next: kinds.map((kind, at) => versionOf(kind, at + 1)),
    }
  })
}

function shuffled<T>(all: readonly T[], random: Random): T[] {
  return all
    .map((one) => ({ one, at: random.next() }))
    .sort((a, b) => a.at - b.at)
    .map(({ one }) => one)
}
