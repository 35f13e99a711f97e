import type { RouteSet } from './routes.ts'
import type { StickyRoute } from './side-routes.ts'
import { TOTAL_PERMILLE } from './weight.ts'

type Assignment = Extract<StickyRoute, { kind: 'assign' }>

/** A piece of the line from 0 to 1000 on which each user has a point. */
export type Seat = { release: string; variant: string | null; permille: number }

export type Seats = {
  /** The weights beside each other, the candidate's first, so that one that rises only ever moves users to it. */
  line: Seat[]
  /** Users are being told apart: with all weight on one side there is nothing to keep. */
  divides: boolean
  /** The variants of a test have just the shares that were planned: only then is anything counted. */
  tests: boolean
}

/** Where users stand. Pure, and the same for every data plane; how an id becomes a point is its own affair. */
export function seatsOf(
  { release, test }: Pick<Assignment, 'release' | 'test'>,
  sets: readonly RouteSet[],
): Seats {
  const first = sets.filter((set) => set.release === release)
  const planned = test?.variants.reduce((sum, { sharePermille }) => sum + sharePermille, 0)
  const tests = planned !== undefined && first[0]?.weightPermille === planned
  const seatsIn = (set: RouteSet): Seat[] =>
    tests && test !== undefined && set.release === release
      ? test.variants.map(({ name, sharePermille }) => ({
          release,
          variant: name,
          permille: sharePermille,
        }))
      : [{ release: set.release, variant: null, permille: set.weightPermille }]
  return {
    line: [...first, ...sets.filter((set) => set.release !== release)].flatMap(seatsIn),
    divides: sets.every(({ weightPermille }) => weightPermille < TOTAL_PERMILLE),
    tests,
  }
}

/** Of those who take no part in a test: beside the candidate. `null` once there is nothing to divide. */
export const seatOfOthers = ({ line, divides }: Seats): Seat | null =>
  divides ? (line.at(-1) ?? null) : null
