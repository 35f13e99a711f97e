import type { RolloutState } from '../state.ts'

/** No complete correct answer, for a reason that is not the version's own fault. What was declared before is lost all the same. */
export const requestsLost = ({ loss }: Pick<RolloutState, 'loss'>): number =>
  loss.unroutable + loss.closed + loss.cutOnDrain
