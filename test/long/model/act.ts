import { expect } from 'vitest'
import type { ActionView, ServiceView } from '../../../src/core/rollout/view/view.ts'
import { eventsOf } from '../../live/kit/journal.ts'
import { type Knowledge, lookWith } from './knowledge.ts'
import { allows, changesBetween, type Look } from './look.ts'
import { type Face, type Order, type Reply, send } from './order.ts'
import type { Shop } from './shop.ts'

const OK = 0
const REFUSED = 13

export type Act = {
  face: Face
  order: Order
  /** The entry of `actions` that speaks about this order; `null` when there is none. */
  action: ActionView['name'] | null
}
export type Done = { before: Look; reply: Reply; after: Look }

/** Gives an order, and holds the answer to what was shown before it: an action that is allowed is not refused, and the other way round. */
export async function act(known: Knowledge, shop: Shop, { face, order, action }: Act): Promise<Done> {
  const before = await lookWith(known, shop)
  const reply = await send(shop, face, order)
  expect([OK, REFUSED], `${order.words.join(' ')}: ${reply.text}`).toContain(reply.code)
  note(known, reply, before)
  const after = await lookWith(known, shop)
  if (action !== null) expectAgreement(shop, { before, reply, after }, { action, order })
  return { before, reply, after }
}

function note(known: Knowledge, { code, rollout, view }: Reply, before: Look): void {
  if (code !== OK) return
  if (rollout !== null) known.begun.add(rollout)
  // Any order that was heard may end a pause, save the pause itself.
  known.paused = null
  known.stable ??= before.view.stable?.release ?? null
  if (view?.queued) known.begun.add(view.queued.rollout)
}

type About = { action: ActionView['name']; order: Order }

/** What happened between the two looks by itself excuses a disagreement, and nothing else does. */
function expectAgreement(shop: Shop, { before, reply, after }: Done, { action, order }: About): void {
  const allowed = allows(before, action)
  const shown = `${action} was shown as ${allowed ? 'allowed' : 'not allowed'} (${whyNot(before.view, action)})`
  if (allowed && reply.code !== OK) {
    const since = changesBetween(shop, before.view.revision, after.view.revision)
    expect(
      since.length,
      `${shown}, and "${order.words.join(' ')}" was refused: ${reply.text}`,
    ).toBeGreaterThan(0)
  }
  if (allowed || reply.code !== OK) return
  const all = changesBetween(shop, before.view.revision, after.view.revision)
  const mine = all.findIndex(({ event }) => order.note !== null && JSON.stringify(event).includes(order.note))
  if (mine < 0) return
  expect(mine, `${shown}, and "${order.words.join(' ')}" did ${all[mine]?.event.kind}`).toBeGreaterThan(0)
}

const whyNot = ({ actions }: ServiceView, name: string): string | null =>
  actions.find((action) => action.name === name)?.whyNot ?? null

/** Whether a rollout began or ended, or anything else moved by itself, while the order was on its way. */
export const nothingMoved = (shop: Shop, { before, after }: Pick<Done, 'before' | 'after'>): boolean =>
  changesBetween(shop, before.view.revision, after.view.revision).length === 0

/** Every rollout that the journal knows of, with the version it is about. */
export const begunIn = ({ stack }: Shop): { id: string; version: string }[] =>
  eventsOf(stack.journal(), 'rollout-started').map(({ rollout }) => ({
    id: rollout.id,
    version: rollout.plan.to.version,
  }))
