import type { ServiceRoutes } from '../core/shared/routes.ts'
import { TOTAL_PERMILLE } from '../core/shared/weight.ts'

/** Watches how long no controller has spoken, from the start of the process on, by a clock that never jumps. */
export class SignOfLife {
  private lastMs: number

  /** `silentMs`: for how long nobody has spoken to the process that served before. */
  constructor(silentMs = 0) {
    this.lastMs = performance.now() - silentMs
  }

  seen(): void {
    this.lastMs = performance.now()
  }

  silentMs(): number {
    return performance.now() - this.lastMs
  }
}

/** Whether traffic must return to stable by itself: asked for, time is over, possible, and not so already. */
export function mustRevert(routes: ServiceRoutes, silentMs: number): boolean {
  const policy = routes.onControllerLoss
  if (policy.kind === 'hold' || silentMs < policy.afterMs || !canRevert(routes)) return false
  return routes.sets.some((set) => set.release === routes.stable && set.weightPermille < TOTAL_PERMILLE)
}

/** Stable is there and can take everything. */
function canRevert({ stable, sets }: ServiceRoutes): boolean {
  const set = sets.find(({ release }) => release === stable)
  return set?.instances.some(({ state }) => state === 'active') === true
}
