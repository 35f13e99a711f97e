import { randomUUID } from 'node:crypto'
import type { RouteSet } from '../core/shared/routes.ts'
import type { StickyRoute, VariantRoute } from '../core/shared/side-routes.ts'
import { TOTAL_PERMILLE } from '../core/shared/weight.ts'

type Assignment = Extract<StickyRoute, { kind: 'assign' }>
export type Seat = { release: string; variant: string | null }

/** Ids that we gave: anything else is somebody's invention and gets a new one. */
const ID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/**
 * Which release a user belongs to. Nothing is remembered: a user is a random id, its hash a point between 0 and 1000, and
 * the weights lie beside each other on that line, the candidate's first. So a weight that rises only ever moves users of
 * the others to the candidate, every id that is new falls on it with exactly its share, and all processes agree, also after
 * a restart.
 */
export class StickySplit {
  /** Users are being told apart: with all weight on one side, there is nothing to keep. */
  readonly divides: boolean
  /** The variants of a test have just the shares that were planned: only then is anything counted. */
  readonly tests: boolean
  private readonly salt: string
  private readonly seats: (Seat & { end: number })[] = []

  constructor(
    { salt, release, test }: Pick<Assignment, 'salt' | 'release' | 'test'>,
    sets: readonly RouteSet[],
  ) {
    this.salt = salt
    const first = sets.filter((set) => set.release === release)
    const planned = test?.variants.reduce((sum, { sharePermille }) => sum + sharePermille, 0)
    this.tests = planned !== undefined && first[0]?.weightPermille === planned
    let end = 0
    for (const set of [...first, ...sets.filter((one) => one.release !== release)])
      for (const { variant, share } of this.partsOf(set, set.release === release ? test : undefined)) {
        end += share
        this.seats.push({ release: set.release, variant, end })
      }
    this.divides = sets.every(({ weightPermille }) => weightPermille < TOTAL_PERMILLE)
  }

  private partsOf({ weightPermille }: RouteSet, test: VariantRoute | undefined) {
    return this.tests && test !== undefined
      ? test.variants.map(({ name, sharePermille }) => ({ variant: name, share: sharePermille }))
      : [{ variant: null, share: weightPermille }]
  }

  /** `null`: nobody has any weight. */
  seatOf(id: string): Seat | null {
    const point = pointOf(`${this.salt}/${id}`)
    return this.seats.find(({ end }) => point < end) ?? null
  }

  /** Of those who take no part in a test: beside the candidate, and where all are once there is nothing to divide. */
  get otherwise(): Seat | null {
    return (this.divides ? this.seats.at(-1) : undefined) ?? null
  }
}

export const newUser = (): string => randomUUID()

/** The id that a cookie carries, if it is one of ours. */
export const userIn = (cookie: string | null): string | null =>
  cookie !== null && ID.test(cookie) ? cookie : null

/** FNV-1a of the text, mixed by the finaliser of MurmurHash3 so that similar texts lie far apart; from 0 to below 1000. */
function pointOf(text: string): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32) * TOTAL_PERMILLE
}
