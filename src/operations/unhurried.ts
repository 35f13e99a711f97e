import { setImmediate as turn } from 'node:timers/promises'
import type { Steps } from '../core/rollout/replay/trail.ts'

/** A few milliseconds of work: rollouts that go on are looked at in between. */
const STEPS_AT_ONCE = 20

/** Does long work a little at a time, so that the controller answers and renews its leases meanwhile. */
export async function unhurried<T>(steps: Steps<T>, atOnce = STEPS_AT_ONCE): Promise<T> {
  for (let taken = 1; ; taken += 1) {
    const { done, value } = steps.next()
    if (done === true) return value
    if (taken % atOnce === 0) await turn()
  }
}
