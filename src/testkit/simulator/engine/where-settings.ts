import type { ServiceSettings } from '../../../core/release/settings.ts'
import type { Participants, RequestMatch } from '../../../core/shared/side-routes.ts'
import type { Random } from './random.ts'

/** Of the tests. */
const WHERE_SHARE = 0.4

const country = (value: string): RequestMatch => ({ kind: 'exact', in: 'header', name: 'x-country', value })
const WHERE: Participants = [
  [country('de'), country('at')],
  [{ kind: 'pattern', in: 'cookie', name: 'plan', pattern: 'pro*' }],
]

/** Some tests are for some users only. */
export function withWhere(random: Random, drawn: ServiceSettings): ServiceSettings {
  const isForSome = random.chance(WHERE_SHARE)
  const { strategy } = drawn
  if (strategy.kind !== 'ab' || !isForSome) return drawn
  return { ...drawn, strategy: { ...strategy, where: WHERE } }
}
