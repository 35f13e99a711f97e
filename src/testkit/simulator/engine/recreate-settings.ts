import type { ServiceSettings } from '../../../core/release/settings.ts'
import type { Random } from './random.ts'

const RECREATE_SHARE = 0.04

/** Some stop what runs before they start what comes; drawn apart from everything else. */
export function withRecreate(random: Random, drawn: ServiceSettings): ServiceSettings {
  const isRecreated = random.chance(RECREATE_SHARE)
  if (!isRecreated) return drawn
  const { watchMs, lightWatch, readyPercent } = drawn.strategy
  return {
    ...drawn,
    strategy: { kind: 'recreate', retryAfterS: 5, watchMs, lightWatch, readyPercent, holdMs: 0 },
  }
}
