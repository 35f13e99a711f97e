import { formatDuration } from '../shared/duration.ts'
import { type BurnLimit, type BurnState, burnWindows } from './burn-rate.ts'
import { percent } from './criteria.ts'
import type { SideCount } from './e-process.ts'

type Burned = { candidate: string; stable: string; threshold: string }

/** Both windows of both sides, each with how fast it burns: `2.0% errors in 5m (60 of 3000), 1.8% in 1h (..): 18x`. */
export function describeBurn(limit: BurnLimit, state: BurnState | null): Burned {
  const threshold = `${times(limit.factor)} an error budget of ${share(limit.budgetShare)} (${share(limit.limitShare)}) over ${formatDuration(limit.shortMs)} and ${formatDuration(limit.longMs)}`
  if (state === null) return { candidate: 'no requests', stable: 'no requests', threshold }
  const { short, long } = burnWindows(limit, state)
  const spanMs = state.until - state.since
  const shown = (side: 'candidate' | 'stable'): string => {
    const { bad, total } = long[side]
    if (total === 0) return 'no requests'
    const what = limit.slowerThanMs === null ? 'errors' : `slower than ${limit.slowerThanMs} ms`
    const burn = bad / total / limit.budgetShare
    return `${counted(short[side])} ${what} in ${within(limit.shortMs, spanMs)}, ${counted(long[side])} in ${within(limit.longMs, spanMs)}, ${times(burn)} the budget`
  }
  return { candidate: shown('candidate'), stable: shown('stable'), threshold }
}

const counted = ({ bad, total }: SideCount): string =>
  total === 0 ? 'no requests' : `${percent((100 * bad) / total)} (${bad} of ${total})`

/** A window that is longer than what there is says so. */
const within = (windowMs: number, spanMs: number): string =>
  spanMs < windowMs
    ? `the ${formatDuration(spanMs)} there are of ${formatDuration(windowMs)}`
    : formatDuration(windowMs)

const times = (factor: number): string => `${Number(factor.toPrecision(3))}x`
const share = (part: number): string => `${Number((100 * part).toPrecision(4))}%`
