import type { Participants, RequestMatch } from './side-routes.ts'

/** Whether a user takes part in a test: one of each group has to fit. Without groups everybody does. */
export const takesPart = (where: Participants | undefined, fits: (match: RequestMatch) => boolean): boolean =>
  where === undefined || where.every((group) => group.some(fits))
