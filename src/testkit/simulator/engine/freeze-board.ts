import type { FreezeState } from '../../../core/shared/freeze.ts'
import { NEVER_FROZEN } from '../../../core/shared/freeze.ts'

/** What was said last about freezes of the environment. */
export type FreezeBoard = {
  read(): FreezeState
  freeze(at: number): void
  lift(): void
}

export function createFreezeBoard(): FreezeBoard {
  let said: FreezeState = NEVER_FROZEN
  const say = (freeze: FreezeState['freeze']): void => {
    said = { freeze, asOf: said.asOf + 1, by: 'bob' }
  }
  return {
    read: () => said,
    freeze: (at) => say({ reason: 'year end', who: 'bob', since: at, until: null }),
    lift: () => {
      if (said.freeze !== null) say(null)
    },
  }
}
