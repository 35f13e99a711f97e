import { expect } from 'vitest'
import type { RolloutView } from '../../../src/core/rollout/view/view.ts'
import { type Look, look } from './look.ts'
import { BAD, type Shop, type Version, WATCH_STEP } from './shop.ts'

/**
 * The model: what somebody who gave these orders and heard these answers may rely on. The rest moves by itself, so a
 * cap is all that is known of a weight: it may fall at any time.
 */
export type Knowledge = {
  /** Blocked by hand, and not lifted since. */
  blocked: Set<Version>
  /** Rollouts that were answered with: each has to end. */
  begun: Set<string>
  /** Rollouts that somebody promoted, or that go back: nothing else is ever taken past the step that waits for a person. */
  confirmed: Set<string>
  /** Rollouts that go back to an earlier release: no freeze holds them. */
  waysBack: Set<string>
  paused: { rollout: string; capPermille: number } | null
  frozen: { at: number; rollout: string | null; capPermille: number } | null
  stable: string | null
}

export const nothingKnown = (): Knowledge => ({
  blocked: new Set(),
  begun: new Set(),
  confirmed: new Set(),
  waysBack: new Set(),
  paused: null,
  frozen: null,
  stable: null,
})

/** Looks, and holds what is seen to what is known. */
export async function lookWith(known: Knowledge, shop: Shop): Promise<Look> {
  const seen = await look(shop)
  expectPause(known, seen)
  expectFreeze(known, seen)
  expectStable(known, seen)
  return seen
}

/** A pause ends only by an order; the way back is open all the time. */
function expectPause({ paused }: Knowledge, { view: { rollout } }: Look): void {
  if (paused === null || rollout?.id !== paused.rollout) return
  expect(rollout.outcome, `${rollout.id} was paused`).not.toBe('promoted')
  expect(rollout.weight.desiredPermille, `${rollout.id} was paused and its weight rose`).toBeLessThanOrEqual(
    paused.capPermille,
  )
}

/** In a freeze nothing begins and nothing goes forward but what goes back. */
function expectFreeze({ frozen, waysBack }: Knowledge, { view: { rollout, freeze } }: Look): void {
  if (frozen === null) return
  expect(freeze, 'the freeze ended by itself').not.toBeNull()
  if (rollout === null || waysBack.has(rollout.id)) return
  if (rollout.id !== frozen.rollout)
    expect(rollout.startedAt, `${rollout.id} began in a freeze`).toBeLessThanOrEqual(frozen.at)
  else
    expect(
      rollout.weight.desiredPermille,
      `${rollout.id} was frozen and its weight rose`,
    ).toBeLessThanOrEqual(frozen.capPermille)
}

/** Stable changes only by a rollout that somebody confirmed, and never to a version whose failure was seen. */
function expectStable(known: Knowledge, { view: { rollout, stable } }: Look): void {
  if (stable === null) throw new Error('nothing is stable any more')
  const before = known.stable
  known.stable = stable.release
  if (before === null || before === stable.release || rollout?.to.release !== stable.release) return
  expect(known.confirmed, `${rollout.id} was promoted and nobody had said so`).toContain(rollout.id)
  const watch = rollout.steps.find(({ kind }) => kind === WATCH_STEP)
  if (stable.version === BAD && !known.waysBack.has(rollout.id))
    expect(watch?.state, `half of its answers are errors, and it passed its watch: ${shownOf(rollout)}`).toBe(
      'skipped',
    )
}

const shownOf = ({ exposure, checks, steps, startedAt }: RolloutView): string =>
  JSON.stringify({
    exposure,
    checks: checks.map(({ verdict, sentence }) => `${verdict}: ${sentence}`),
    steps: steps.map(({ label, startedAt: from }) => `${label} after ${(from ?? 0) - startedAt} ms`),
  })
