// Stands for a payment provider on the other side of a network: it drops the first call for one order in twenty.
import { createHash } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'

const ANSWER_MS = 3
const DROPPED_ONE_IN = 20

/** Chosen by a hash of the order number: no rhythm, and the same orders in each run. */
const isDroppedFirst = (order) =>
  createHash('sha256').update(`${order}`).digest().readUInt32BE() % DROPPED_ONE_IN === 0

export async function charge({ order, cents }, attempt) {
  await delay(ANSWER_MS)
  if (attempt === 1 && isDroppedFirst(order))
    throw new Error(`payment provider dropped the call for order ${order}`)
  return { order, paidCents: cents }
}
