import { type BurnLimit, burnWindows } from '../burn-rate.ts'
import { lowerBoundOfRate } from '../e-process.ts'
import type { CheckState } from '../judge.ts'
import type { Facts } from './evidence.ts'

/** Of a burn rate: what its long window shows as it stands. What other requests would have shown depends on when they came. */
export function burnFacts(
  check: BurnLimit & { alpha: number },
  { burn, boundMs }: CheckState,
  phi: number,
): Facts {
  const { bad, total } = burn === null ? { bad: 0, total: 0 } : burnWindows(check, burn).long.candidate
  return {
    boundMs,
    limitShare: check.limitShare,
    atLeast: {
      ratio: null,
      points: null,
      share: lowerBoundOfRate({ bad: bad / phi, total: total / phi }, check.alpha),
    },
    passing: total === 0 ? null : check.limitShare,
    needed: { what: 'one that burns faster', toNotice: null, toRuleOut: null },
    leastNoticed: null,
  }
}
