import { logMeanExp, logTermsAgainstStable } from './e-process.ts'

/** What was counted of one arm: users where they are known, and those of them who reached the goal. */
export type ArmCount = { share: number; users: number; goals: number }

/** How many times as often as the control a variant reaches the goal, with the interval that holds however often one looks. */
export type AbComparison = {
  verdict: 'better' | 'worse' | 'open'
  /** `null` before anybody reached the goal in the control. */
  ratio: number | null
  low: number
  /** `null`: nothing rules out any more. */
  high: number | null
  confidencePercent: number
}

/** What is looked for is small: a tenth more orders is a success. */
const ALTERNATIVES = [1.02, 1.05, 1.1, 1.25, 1.5, 2, 3, 5] as const
const WIDEST = 1000
const ROUNDS = 60

/**
 * Given that so many users reached the goal in both arms, each of them is in the variant with the chance that its share and
 * the ratio of the two rates say, however many came. Each ratio is tested by an e-process (Ville), half of `alpha` on each
 * side; the interval holds those that are not rejected. It may be looked at as often as one likes.
 *
 * Both shares must have been the same all the time, and users must be counted once.
 */
export function compareArms(variant: ArmCount, control: ArmCount, alpha: number): AbComparison {
  const low = lowest(variant, control, alpha / 2)
  const inverse = lowest(control, variant, alpha / 2)
  const rate = ({ goals, share }: ArmCount): number => (share === 0 ? 0 : goals / share)
  const high = inverse === 0 ? null : 1 / inverse
  return {
    verdict: low > 1 ? 'better' : high !== null && high < 1 ? 'worse' : 'open',
    ratio: control.goals === 0 ? null : rate(variant) / rate(control),
    low,
    high,
    confidencePercent: 100 * (1 - alpha),
  }
}

/** The largest ratio that the evidence shows to be exceeded; 0 when there is none. */
function lowest(of: ArmCount, beside: ArmCount, alpha: number): number {
  if (of.goals === 0 || of.share === 0 || beside.share === 0) return 0
  const threshold = Math.log(1 / alpha)
  const isExceeded = (ratio: number): boolean =>
    logMeanExp(
      logTermsAgainstStable(
        { candidate: { bad: of.goals, total: of.share }, stable: { bad: beside.goals, total: beside.share } },
        { ratio, share: 0 },
        ALTERNATIVES,
      ),
    ) >= threshold
  if (!isExceeded(1 / WIDEST)) return 0
  let [low, high] = [Math.log(1 / WIDEST), Math.log(WIDEST)]
  for (let round = 0; round < ROUNDS; round += 1) {
    const middle = (low + high) / 2
    if (isExceeded(Math.exp(middle))) low = middle
    else high = middle
  }
  return Math.exp(low)
}
