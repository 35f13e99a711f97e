import { expect } from 'vitest'
import type { ActionView } from '../../../src/core/rollout/view/view.ts'
import { type Act, act, type Done } from './act.ts'
import type { Knowledge } from './knowledge.ts'
import type { Face } from './order.ts'
import type { Shop } from './shop.ts'

type Simple = { words: string[]; operation: string; input?: object; action: ActionView['name'] | null }

/** Orders on the rollout that is in progress. */
export const HAND = {
  promote: { words: ['promote'], operation: 'promote', action: 'promote' },
  'promote --full': {
    words: ['promote', '--full'],
    operation: 'promote',
    input: { full: true },
    action: 'promote-full',
  },
  pause: { words: ['pause'], operation: 'pause', action: 'pause' },
  resume: { words: ['resume'], operation: 'resume', action: 'resume' },
  abort: { words: ['abort'], operation: 'abort', action: 'abort' },
  rollback: { words: ['rollback', '--no-watch'], operation: 'rollback', action: 'rollback' },
  'breaker close': { words: ['breaker', 'close'], operation: 'close_breaker', action: null },
  discard: { words: ['release', 'discard'], operation: 'discard_release', action: null },
} satisfies Record<string, Simple>
export type Hand = keyof typeof HAND

let given = 0

/** A name for one order, that stands in the journal as its reason. */
export const newNote = (): string => {
  given += 1
  return `order number ${given}.`
}

export async function actByHand(known: Knowledge, shop: Shop, hand: Hand, face: Face): Promise<void> {
  const { words, operation, action, ...more }: Simple = HAND[hand]
  const order = { words, operation, input: more.input ?? {}, note: newNote() }
  const done = await act(known, shop, { face, order, action } satisfies Act)
  if (done.reply.code === 0) learn(known, hand, done)
}

function learn(known: Knowledge, hand: Hand, { reply }: Done): void {
  const rollout = reply.view?.rollout ?? null
  switch (hand) {
    case 'promote':
    case 'promote --full':
      if (rollout !== null) known.confirmed.add(rollout.id)
      return
    case 'pause':
      expect(rollout?.state).toBe('paused')
      if (rollout !== null)
        known.paused = { rollout: rollout.id, capPermille: rollout.weight.desiredPermille }
      return
    case 'rollback':
      learnWayBack(known, reply.rollout)
      return
    case 'abort':
      if (rollout !== null && rollout.outcome === null)
        expect(rollout.weight.desiredPermille, 'an aborted candidate is to get traffic').toBe(0)
      return
    case 'resume':
    case 'breaker close':
    case 'discard':
      return
  }
}

/** Who goes back has said so: it needs no further word, and no freeze holds it. */
export function learnWayBack(known: Knowledge, rollout: string | null): void {
  if (rollout === null) return
  known.confirmed.add(rollout)
  known.waysBack.add(rollout)
}
