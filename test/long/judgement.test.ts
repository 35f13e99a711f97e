import { expect, it } from 'vitest'
import { figuresOf } from './judgement/figures.ts'
import { openMarket } from './judgement/market.ts'
import { planOf } from './judgement/plan.ts'
import { releaseAll } from './judgement/released.ts'

// The whole product under load: six services of one installation, each with five good and five bad versions one after the
// other, judged by the defaults. The same versions, customers and order for the same seed:
//   SLUICE_FIGURES_SEED=2 npx vitest run --project long test/long/judgement.test.ts
const SEED = Number(process.env.SLUICE_FIGURES_SEED ?? 1)
/** It takes seven beside other work. */
const LIMIT = { timeout: 15 * 60_000 }

it(
  'of 30 good and 30 bad rollouts under load at most 1 good one is rolled back and no bad one is promoted',
  LIMIT,
  async () => {
    const lines = planOf(SEED)
    const { stack, urls } = await openMarket(lines)
    const all = (
      await Promise.all(lines.map((line) => releaseAll(stack, urls.get(line.service) ?? '', line)))
    ).flat()
    const figures = figuresOf(all)
    console.log(`SLUICE_FIGURES_SEED=${SEED}\n${figures}`)

    const good = all.filter(({ kind }) => kind === 'good')
    const bad = all.filter(({ kind }) => kind !== 'good')
    expect([good.length, bad.length]).toEqual([30, 30])
    expect(good.filter(({ outcome }) => outcome === 'rolled_back').length, figures).toBeLessThanOrEqual(1)
    expect(
      bad.filter(({ outcome }) => outcome === 'promoted'),
      figures,
    ).toEqual([])
    // While no instance of a crashing version listens, its share of the customers gets a 502. Nothing else is lost.
    const lost = all.filter(
      ({ kind, lost: { count, byDataPlane } }) => count > (kind === 'crash' ? byDataPlane : 0),
    )
    expect(lost, figures).toEqual([])
  },
)
