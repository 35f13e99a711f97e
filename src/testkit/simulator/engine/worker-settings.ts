import type { ServiceSettings } from '../../../core/release/settings.ts'
import { strategyWithoutRequests, withoutRequests } from '../../../core/release/worker.ts'

/** The same configuration for a service without HTTP: what needs an address is left out. */
export function asWorker(drawn: ServiceSettings): ServiceSettings {
  const { strategy } = drawn
  const canary: ServiceSettings['strategy'] = {
    ...{ kind: 'canary', steps: 'steps' in strategy ? strategy.steps : HALVES, earliestMs: null },
    ...{ watchMs: strategy.watchMs, lightWatch: null, holdMs: 0, readyPercent: strategy.readyPercent },
  }
  return {
    ...drawn,
    listen: null,
    prober: null,
    verify: [],
    strategy: strategyWithoutRequests(
      strategy.kind === 'rolling' || strategy.kind === 'recreate' ? strategy : canary,
    ),
    analysis: withoutRequests(drawn.analysis),
  }
}

const HALVES = [500, 1000].map((weightPermille) => ({ weightPermille, pauseMs: 500, criteria: {} }))
