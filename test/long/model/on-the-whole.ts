import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import * as z from 'zod'
import { EXIT_CODE } from '../../../src/core/rollout/outcome.ts'
import { ServiceView } from '../../../src/core/rollout/view/view.ts'
import { killHard } from '../../live/kit/processes.ts'
import { act, nothingMoved } from './act.ts'
import { newNote } from './by-hand.ts'
import { type Knowledge, lookWith } from './knowledge.ts'
import type { Face } from './order.ts'
import type { Shop } from './shop.ts'

export async function freeze(known: Knowledge, shop: Shop, face: Face): Promise<void> {
  const note = newNote()
  const order = { words: ['freeze'], operation: 'freeze', input: {}, note }
  const { reply, after } = await act(known, shop, { face, order, action: null })
  expect(reply.code, reply.text).toBe(EXIT_CODE.promoted)
  const { rollout, freeze: now, asOf } = after.view
  expect(now?.reason).toBe(note)
  known.frozen = {
    at: asOf,
    rollout: rollout?.outcome === null ? rollout.id : null,
    capPermille: rollout?.weight.desiredPermille ?? 0,
  }
}

export async function unfreeze(known: Knowledge, shop: Shop, face: Face): Promise<void> {
  // What was held goes on while the answer is still on its way.
  const before = await lookWith(known, shop)
  known.frozen = null
  const order = { words: ['unfreeze'], operation: 'unfreeze', input: {}, note: null }
  const { reply, after } = await act(known, shop, { face, order, action: null })
  expect(reply.code, reply.text).toBe(EXIT_CODE.promoted)
  expect(after.view.freeze, `it was ${JSON.stringify(before.view.freeze)}`).toBeNull()
}

const Status = z.object({ services: z.tuple([ServiceView]) })

/** The command line shows what the API says. */
export async function status(known: Knowledge, shop: Shop): Promise<void> {
  const before = await lookWith(known, shop)
  const { code, out, err } = await shop.stack.cli('status', '--json')
  const after = await lookWith(known, shop)
  expect(code, err).toBe(EXIT_CODE.promoted)
  const [shown] = Status.parse(JSON.parse(out)).services
  if (nothingMoved(shop, { before, after })) expect(gistOf(shown)).toEqual(gistOf(before.view))
  const forPeople = await shop.stack.cli('status')
  expect(forPeople.code, forPeople.err).toBe(EXIT_CODE.promoted)
}

const gistOf = ({ stable, rollout, queued, freeze: frozen, actions }: ServiceView) => ({
  stable,
  rollout: rollout?.id,
  outcome: rollout?.outcome,
  queued: queued?.rollout,
  frozen,
  actions,
})

const History = z.object({ rollouts: z.array(z.object({ id: z.string(), outcome: z.string().nullable() })) })

/** What has ended stands in the history with its one outcome. */
export async function history(known: Knowledge, shop: Shop): Promise<void> {
  await lookWith(known, shop)
  const { code, out, err } = await shop.stack.cli('history', '--limit', '500', '--json')
  expect(code, err).toBe(EXIT_CODE.promoted)
  const { rollouts } = History.parse(JSON.parse(out))
  const told = new Map(rollouts.map(({ id, outcome }) => [id, outcome]))
  for (const [id, outcome] of shop.outcomes) expect(told.get(id), id).toBe(outcome)
}

/** Traffic is not touched, whoever asks is told, and the next controller knows what the last one knew. */
export async function killController(known: Knowledge, shop: Shop): Promise<void> {
  await lookWith(known, shop)
  await shop.stack.kill('controller')
  const away = await shop.stack.cli('status')
  expect(away.code, away.out + away.err).toBe(EXIT_CODE.unreachable)
  const up = await shop.stack.cli('up')
  expect(up.code, up.out + up.err).toBe(EXIT_CODE.promoted)
  await lookWith(known, shop)
}

export function killInstance(shop: Shop, which: number): void {
  const pids = shop.stack.instances()
  const pid = pids[which % Math.max(1, pids.length)]
  if (pid === undefined) return
  shop.kills.push(Date.now())
  killHard(pid)
}

const LOOK_EVERY_MS = 250
const PATIENCE_MS = 8000

/** A user who lets it go on until it is their turn: a person is waited for, it is held, or it is over. */
export async function waitForTurn(known: Knowledge, shop: Shop): Promise<void> {
  const until = performance.now() + PATIENCE_MS
  for (;;) {
    const { rollout } = (await lookWith(known, shop)).view
    const kind = rollout?.waitingOn?.kind
    const isTurn = rollout === null || rollout.outcome !== null || kind === 'person' || kind === 'freeze'
    if (isTurn || performance.now() > until) return
    await sleep(LOOK_EVERY_MS)
  }
}

export async function wait(known: Knowledge, shop: Shop, ms: number): Promise<void> {
  await sleep(ms)
  await lookWith(known, shop)
}
