import type { ServiceSettings } from '../../../core/release/settings.ts'
import type { Random } from './random.ts'

const MOVES_SHARE = 0.015
/** Of the configurations of such a run: going from one to another of the other kind is a move. */
const OTHER_SHARE = 0.5

/** In some runs releases take the service from one router to another (S131); drawn apart from everything else. */
export function withMoves(random: Random, drawn: ServiceSettings[]): ServiceSettings[] {
  const isMoving = random.chance(MOVES_SHARE)
  return drawn.map((settings) => {
    const isOther = random.chance(OTHER_SHARE)
    if (!isMoving || !isOther || settings.listen === null || settings.also !== undefined) return settings
    return { ...settings, router: 'haproxy', listen: { host: '127.0.0.1', port: 8091 } }
  })
}
