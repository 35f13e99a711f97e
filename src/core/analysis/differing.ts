import type { Batch } from './batch.ts'
import type { DifferingLimit } from './check.ts'
import { logTermsAgainstLimit, type SideCount } from './e-process.ts'

/** Answers of the shadow that are not what the user got, of all that can be compared; `null` where nothing was copied. */
export const differingIn = ({ shadow }: Pick<Batch, 'shadow'>): SideCount | null =>
  shadow === undefined
    ? null
    : { bad: shadow.statusDiffers + shadow.bodyDiffers, total: shadow.answered - shadow.bodyUnknown }

/**
 * Evidence that more than the limit differ, one term per alternative. Pairs of answers stand for themselves: stable is what
 * they are measured by.
 */
export const differingTerms = (
  { limitShare }: Pick<DifferingLimit, 'limitShare'>,
  counted: SideCount,
): number[] => logTermsAgainstLimit(counted, limitShare)
