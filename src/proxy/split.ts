import { randomBytes } from 'node:crypto'
import { TOTAL_PERMILLE } from '../core/shared/weight.ts'

/** A source of whole numbers in `[0, limit)`. */
export type Random = (limit: number) => number

/**
 * Deals requests to sets so that each block of 1,000 holds every set exactly as often as its weight says, in random
 * order: a fixed rotation would alias with the rhythm of clients and break the premise of the statistics.
 */
export class Split {
  private readonly slots = new Uint16Array(TOTAL_PERMILLE)
  private readonly random: Random
  private used = 0

  /** `weights` in per mille, adding up to 1,000; `next()` answers with their index. */
  constructor(weights: readonly number[], random: Random = seededRandom()) {
    this.random = random
    let slot = 0
    for (const [index, weight] of weights.entries()) {
      this.slots.fill(index, slot, slot + weight)
      slot += weight
    }
    if (slot !== TOTAL_PERMILLE) throw new RangeError(`weights add up to ${slot}, not ${TOTAL_PERMILLE}`)
    this.shuffle()
  }

  next(): number {
    if (this.used === TOTAL_PERMILLE) this.shuffle()
    const index = this.slots[this.used] ?? 0
    this.used += 1
    return index
  }

  /** Fisher-Yates. */
  private shuffle(): void {
    const { slots } = this
    for (let last = TOTAL_PERMILLE - 1; last > 0; last -= 1) {
      const other = this.random(last + 1)
      const kept = slots[last] ?? 0
      slots[last] = slots[other] ?? 0
      slots[other] = kept
    }
    this.used = 0
  }
}

/** xorshift128 with a seed from the system: quick, and nobody outside can tell which release comes next. */
export function seededRandom(seed: Buffer = randomBytes(16)): Random {
  let [a, b, c, d] = [0, 4, 8, 12].map((offset) => seed.readInt32LE(offset) | 1) as [
    number,
    number,
    number,
    number,
  ]
  return (limit) => {
    const mixed = d ^ (d << 11)
    d = c
    c = b
    b = a
    a = a ^ (a >>> 19) ^ mixed ^ (mixed >>> 8)
    return Math.floor(((a >>> 0) / 2 ** 32) * limit)
  }
}
