import { randomUUID } from 'node:crypto'
import type { RouteSet } from '../core/shared/routes.ts'
import { type Seat, seatOfOthers, seatsOf } from '../core/shared/seats.ts'
import type { StickyRoute } from '../core/shared/side-routes.ts'
import { TOTAL_PERMILLE } from '../core/shared/weight.ts'

type Assignment = Extract<StickyRoute, { kind: 'assign' }>

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
  /** Of those who take no part in a test: beside the candidate, and where all are once there is nothing to divide. */
  readonly otherwise: Seat | null
  private readonly salt: string
  private readonly seats: { seat: Seat; end: number }[] = []

  constructor(assignment: Pick<Assignment, 'salt' | 'release' | 'test'>, sets: readonly RouteSet[]) {
    const seats = seatsOf(assignment, sets)
    this.salt = assignment.salt
    this.divides = seats.divides
    this.tests = seats.tests
    this.otherwise = seatOfOthers(seats)
    let end = 0
    for (const seat of seats.line) {
      end += seat.permille
      this.seats.push({ seat, end })
    }
  }

  /** `null`: nobody has any weight. */
  seatOf(id: string): Seat | null {
    const point = pointOf(`${this.salt}/${id}`)
    return this.seats.find(({ end }) => point < end)?.seat ?? null
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
