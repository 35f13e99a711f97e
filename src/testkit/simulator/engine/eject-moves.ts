import type { Random } from './random.ts'

/** Instances of this version, or of every one, fail what users ask of them. */
export type EjectMove = { kind: 'eject'; version: string | null; forMs: number }

const EJECTIONS_SHARE = 0.015

/** Of the candidate alone, or of both versions at once, while its steps go on; drawn apart from everything else. */
export function ejectMoves(
  random: Random,
  deploys: readonly { at: number; version: string }[],
): ({ at: number } & EjectMove)[] {
  if (!random.chance(EJECTIONS_SHARE)) return []
  return deploys.map(({ at, version }) => {
    const struck = random.chance(0.5) ? version : null
    return { at: at + random.int(500, 3000), kind: 'eject', version: struck, forMs: random.int(500, 4000) }
  })
}
