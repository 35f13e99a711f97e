import { randomInt } from 'node:crypto'
import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { deeds, TOUR } from './model/commands.ts'
import { type Knowledge, nothingKnown } from './model/knowledge.ts'
import { closeShop, comeToRest, expectAccounts } from './model/rest.ts'
import { openShop, type Shop } from './model/shop.ts'

// Somebody who does anything at any moment, by hand and by program, to a real installation of the example shop.
// A run that fails prints its seed. The same orders again, in the same order:
//   SLUICE_MODEL_SEED=... npx vitest run --project long test/long/model.test.ts
// with SLUICE_MODEL_PATH and SLUICE_MODEL_REPLAY from the report, too, after SLUICE_MODEL_SHRINK=1 has made it short.

const SECOND_MS = 1000
/** No run begins after this. */
const TIME_MS = Number(process.env.SLUICE_MODEL_SECONDS ?? 120) * SECOND_MS
const MOST_DEEDS = 50
const LAST_SEED = 2 ** 31 - 1

it('every order once, each where it matters, is answered and done as it was shown', async () => {
  await live(TOUR)
})

it('whatever anybody orders, by hand or by program, is answered as it was shown, done as it was answered, and comes to rest', async () => {
  const given = process.env.SLUICE_MODEL_SEED
  const first = given === undefined ? randomInt(LAST_SEED) : Number(given)
  const endsAt = performance.now() + TIME_MS
  let runs = 0
  let orders = 0
  do {
    const seed = first + runs
    console.log(`model: SLUICE_MODEL_SEED=${seed}`)
    const report = await fc.check(
      property((count) => (orders += count)),
      optionsFor(seed),
    )
    if (report.failed)
      throw new Error(fc.defaultReportMessage(report) ?? `seed ${seed} failed`, {
        cause: report.errorInstance,
      })
    runs += 1
  } while (given === undefined && performance.now() < endsAt)
  console.log(`model: ${orders} orders in ${runs} installations, seeds from ${first}`)
  expect(orders).toBeGreaterThan(0)
})

function property(count: (orders: number) => void) {
  return fc.asyncProperty(deeds(MOST_DEEDS, process.env.SLUICE_MODEL_REPLAY ?? null), async (orders) => {
    await live(orders)
    count([...orders].length)
  })
}

/** One installation, from its first release to its end. */
async function live(orders: Iterable<fc.AsyncCommand<Knowledge, Shop>>): Promise<void> {
  const known = nothingKnown()
  const shop = await openShop()
  await fc.asyncModelRun(() => ({ model: known, real: shop }), orders)
  await comeToRest(known, shop)
  await shop.customers.leave()
  await expectAccounts(known, shop)
  await closeShop(shop)
}

function optionsFor(seed: number) {
  const path = process.env.SLUICE_MODEL_PATH
  const shrinks = process.env.SLUICE_MODEL_SHRINK === '1' || path !== undefined
  return { seed, numRuns: 1, unbiased: true, endOnFailure: !shrinks, ...(path === undefined ? {} : { path }) }
}
