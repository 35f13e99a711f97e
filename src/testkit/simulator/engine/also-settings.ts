import type { ServiceSettings } from '../../../core/release/settings.ts'
import type { Random } from './random.ts'

const SEVERAL_SHARE = 0.02
/** Of the configurations of such a run: the others have one router, so that there are moves between the two ways. */
const ALSO_SHARE = 0.8

/** In some runs a second router serves the same instances; drawn apart from everything else. */
export function withSeveralRouters(random: Random, drawn: ServiceSettings[]): ServiceSettings[] {
  const isSeveral = random.chance(SEVERAL_SHARE)
  return drawn.map((settings) => {
    const has = random.chance(ALSO_SHARE)
    if (!isSeveral || !has || settings.listen === null || settings.strategy.kind === 'ab') return settings
    return { ...settings, also: [{ router: 'haproxy', listen: { host: '127.0.0.1', port: 8091 } }] }
  })
}
