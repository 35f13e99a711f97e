import type { ServiceSettings } from '../../../core/release/settings.ts'
import type { Random } from './random.ts'

const SHADOW_SHARE = 0.1

/** Some get copies of requests before they get users; drawn apart from everything else. */
export function withShadow(random: Random, drawn: ServiceSettings): ServiceSettings {
  const isShadow = random.chance(SHADOW_SHARE)
  const forMs = random.pick([600, 1500, null])
  const sharePermille = random.pick([100, 350, 1000])
  const { strategy, analysis } = drawn
  if (!isShadow || strategy.kind !== 'canary') return drawn
  const { steps, earliestMs, watchMs, lightWatch, holdMs, readyPercent } = strategy
  return {
    ...drawn,
    strategy: {
      ...{ kind: 'shadow', steps, earliestMs, watchMs, lightWatch, holdMs, readyPercent },
      ...{ sharePermille, methods: ['GET'], idempotent: [], bodies: { kind: 'exact' }, forMs, criteria: {} },
    },
    analysis: { ...analysis, differingPercent: 1 },
  }
}
