// What each version of the test changes in the shop: how its payments go, as `weakness.json` beside this file says.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { charge } from './provider.js'

const ATTEMPTS = 3
const { seed, failingShare, slowShare, slowMs, exitsAfterMs } = JSON.parse(
  readFileSync(new URL('weakness.json', import.meta.url), 'utf8'),
)
let isFirst = true

/** Charges the customer, in the way of this version. */
export async function pay(bill) {
  if (exitsAfterMs !== null && isFirst) setTimeout(() => process.exit(1), exitsAfterMs * (1 + drawn('exit')))
  isFirst = false
  if (drawn(`slow ${bill.order}`) < slowShare) await delay(slowMs)
  if (drawn(`failing ${bill.order}`) < failingShare) throw new Error(`order ${bill.order} could not be paid`)
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await charge(bill, attempt)
    } catch (error) {
      if (attempt >= ATTEMPTS) throw error
    }
  }
}

/** In [0, 1): by the seed of the version, the instance and what for, so that two instances do not fail in step. */
function drawn(what) {
  const text = `${seed} ${process.env.SLUICE_INSTANCE} ${what}`
  return createHash('sha256').update(text).digest().readUInt32BE() / 2 ** 32
}
