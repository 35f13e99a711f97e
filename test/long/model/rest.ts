import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import { EXIT_CODE } from '../../../src/core/rollout/outcome.ts'
import { slowness } from '../../../src/testkit/slowness.test.kit.ts'
import { processesOf } from '../../live/kit/processes.ts'
import { eventually } from '../../live/kit/settle.ts'
import { actByHand } from './by-hand.ts'
import type { Visit } from './customers.ts'
import type { Knowledge } from './knowledge.ts'
import { lookWith } from './knowledge.ts'
import { unfreeze } from './on-the-whole.ts'
import { BAD, type PastRollout, pastRollouts, REPLICAS, routesNow, type Shop } from './shop.ts'

const REST_LIMIT_MS = 120_000
const LOOK_EVERY_MS = 200
const FULL_PERMILLE = 1000

/** Nobody holds anything any more: everything has to end by itself, save where a person is asked for. */
export async function comeToRest(known: Knowledge, shop: Shop): Promise<void> {
  await unfreeze(known, shop, 'cli')
  const until = performance.now() + REST_LIMIT_MS
  for (;;) {
    const { rollout, queued } = (await lookWith(known, shop)).view
    if ((rollout === null || rollout.outcome !== null) && queued === null) break
    expect(performance.now(), `it does not come to rest: ${rollout?.sentence}`).toBeLessThan(until)
    if (rollout?.waitingOn?.kind === 'person') await actByHand(known, shop, 'promote', 'cli')
    await sleep(LOOK_EVERY_MS)
  }
  await onlyStableIsLeft(shop)
}

/** One set, all of its instances, all traffic: nothing of what came and went is left. */
async function onlyStableIsLeft(shop: Shop): Promise<void> {
  await eventually('nothing but stable', async () => {
    const { sets, stable, warnings } = await shop.stack.view()
    const routes = (await routesNow(shop)).sets
    const [set] = sets
    return (
      sets.length === 1 &&
      set?.release === stable?.release &&
      set?.ready === REPLICAS &&
      shop.stack.instances().length === REPLICAS &&
      routes.length === 1 &&
      routes[0]?.release === stable?.release &&
      routes[0]?.weightPermille === FULL_PERMILLE &&
      warnings.filter((text) => !text.includes('circuit breaker')).length === 0
    )
  })
}

/** After the customers have left: each rollout ended once, and each customer was answered by whom the history says. */
export async function expectAccounts(known: Knowledge, shop: Shop): Promise<void> {
  const past = await pastRollouts(shop)
  const outcomes = new Map(past.map(({ id, outcome }) => [id, outcome]))
  for (const [id, outcome] of shop.outcomes) expect(outcomes.get(id), id).toBe(outcome)
  for (const id of known.begun) {
    const { rollout } = await shop.stack.rollout(id)
    expect(rollout.outcome, `${id} never ended`).not.toBeNull()
  }
  const graceMs = AFTER_A_KILL_MS * slowness()
  for (const visit of shop.customers.visits) {
    if (shop.kills.some((at) => visit.endedAt >= at && visit.sentAt <= at + graceMs)) continue
    expect(complaintOf(visit, past)).toBeNull()
  }
}

/** Until a killed instance is out of the routes, and stable stands again where both of its instances were killed. */
const AFTER_A_KILL_MS = 5000
/** From the event to the last answer of who had the traffic before: the clocks are the same, the looks are not. */
const CHANGEOVER_MS = 1000

function complaintOf({ sentAt, endedAt, outcome }: Visit, past: readonly PastRollout[]): string | null {
  const at = `at ${new Date(sentAt).toISOString()}`
  if (outcome.kind === 'lost') return `${at} a request was lost: ${outcome.message}`
  const { version, status } = outcome
  if (status >= 400 && version !== BAD) return `${at} ${version} answered ${status}`
  const isUnderWay = past.some(
    (rollout) =>
      (rollout.to.version === version || rollout.from?.version === version) &&
      rollout.startedAt <= endedAt &&
      (rollout.endedAt ?? endedAt) + CHANGEOVER_MS >= sentAt,
  )
  const stable = past.find((one) => one.outcome === 'promoted' && (one.endedAt ?? 0) <= endedAt)?.to.version
  return isUnderWay || stable === version ? null : `${at} ${version} answered, and ${stable} was stable`
}

/** `down` ends all there is. */
export async function closeShop({ stack, customers }: Shop): Promise<void> {
  await customers.leave()
  const down = await stack.cli('down', '--yes')
  expect(down.code, down.out + down.err).toBe(EXIT_CODE.promoted)
  await eventually('the end of all processes', () => processesOf(stack.folder).length === 0)
}
