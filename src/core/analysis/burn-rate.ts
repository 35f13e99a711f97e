import * as z from 'zod'
import type { ServiceLevel } from '../release/analysis-settings.ts'
import { logMeanExp, logTermsAgainstLimit, type SideCount } from './e-process.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS

/** One pair of windows: the long one shows that much was burned, the short one that it still burns. */
export type BurnLimit = {
  kind: 'burn-rate'
  shortMs: number
  longMs: number
  /** How many times as fast as the objective allows. */
  factor: number
  /** What may go wrong by the objective, 0 to 1. */
  budgetShare: number
  /** The share of bad requests that burns so fast: `factor` times the budget. */
  limitShare: number
  slowerThanMs: number | null
}

/**
 * The pairs of the "Site Reliability Workbook", chapter "Alerting on SLOs": 2% of the budget within an hour, 5% within six.
 * For 30 days that is 14.4 and 6 times as fast as allowed.
 */
const PAIRS = {
  critical: { shortMs: 5 * MINUTE_MS, longMs: HOUR_MS, budgetPart: 0.02 },
  warning: { shortMs: 30 * MINUTE_MS, longMs: 6 * HOUR_MS, budgetPart: 0.05 },
} as const

export function burnLimitOf(
  {
    targetPercent,
    windowMs,
    slowerThanMs,
  }: Pick<ServiceLevel, 'targetPercent' | 'windowMs' | 'slowerThanMs'>,
  tier: keyof typeof PAIRS,
): BurnLimit {
  const { shortMs, longMs, budgetPart } = PAIRS[tier]
  const factor = (budgetPart * windowMs) / longMs
  const budgetShare = 1 - targetPercent / 100
  return {
    kind: 'burn-rate',
    shortMs,
    longMs,
    factor,
    budgetShare,
    limitShare: factor * budgetShare,
    slowerThanMs,
  }
}

/** The long window is kept in so many pieces; the short one is five of them in both pairs. */
const CELLS = 60

const Counted = z.object({ bad: z.int().nonnegative(), total: z.int().nonnegative() })
const Cell = z.object({ number: z.int(), candidate: Counted, stable: Counted })

/** What both sides did lately: a bounded number of pieces, oldest first. Nothing before the candidate's first request. */
export const BurnState = z.object({
  /** Begin of the first batch with requests of the candidate, and end of the last batch. */
  since: z.number(),
  until: z.number(),
  /** Number of the first piece there ever was: how often the long window has moved on. */
  first: z.int(),
  cells: z.array(Cell).max(CELLS),
})
export type BurnState = z.infer<typeof BurnState>

type Sides = { candidate: SideCount; stable: SideCount }

/** Adds what was counted in one interval. A clock that was set back goes on in the newest piece. */
export function addToBurn(
  limit: Pick<BurnLimit, 'longMs'>,
  known: BurnState | null,
  { candidate, stable, sinceAt, at }: Sides & { sinceAt: number; at: number },
): BurnState | null {
  if (known === null && candidate.total === 0) return null
  const number = Math.floor(sinceAt / cellMsOf(limit))
  const state = known ?? { since: sinceAt, until: at, first: number, cells: [] }
  const last = state.cells.at(-1)
  const cells =
    last !== undefined && number <= last.number
      ? [...state.cells.slice(0, -1), plus(last, { candidate, stable })]
      : [...state.cells, { number, candidate, stable }]
  const newest = cells.at(-1)?.number ?? number
  return {
    ...state,
    until: Math.max(state.until, at),
    cells: cells.filter((cell) => cell.number > newest - CELLS),
  }
}

const cellMsOf = ({ longMs }: Pick<BurnLimit, 'longMs'>): number => longMs / CELLS

/** What was counted in both windows, the piece that still goes on included; never more time than their names say. */
export function burnWindows(limit: BurnLimit, state: BurnState): { short: Sides; long: Sides } {
  const newest = state.cells.at(-1)?.number ?? 0
  const within = (windowMs: number): Sides =>
    state.cells
      .filter(({ number }) => number > newest - windowMs / cellMsOf(limit))
      .reduce<Sides>(plus, { candidate: NOTHING, stable: NOTHING })
  return { short: within(limit.shortMs), long: within(limit.longMs) }
}

/**
 * Log evidence that the candidate burns the budget too fast, in both windows. The windows move, and evidence that begins
 * anew each time would sooner or later mislead: the n-th begin of the long window gets 1 / (n (n + 1)) of the false-alarm
 * budget, which adds up to 1. The short window must show the same by itself, which makes false alarms only rarer.
 *
 * @param by What the evidence is divided by, since counts vary more than those of independent requests.
 */
export function burnEvidence(limit: BurnLimit, state: BurnState, by: number): number {
  const { short, long } = burnWindows(limit, state)
  const evidenceOf = ({ candidate: { bad, total } }: Sides): number =>
    total === 0 ? 0 : logMeanExp(logTermsAgainstLimit({ bad: bad / by, total: total / by }, limit.limitShare))
  const begin = Math.max(1, (state.cells.at(-1)?.number ?? 0) - CELLS - state.first + 2)
  return Math.min(evidenceOf(long) - Math.log(begin * (begin + 1)), evidenceOf(short))
}

/** Fewer requests of stable than this excuse nothing. */
const MIN_STABLE_REQUESTS = 100

/** Why the evidence is not held against the candidate, or `null`. */
export function burnExcuse(limit: BurnLimit, state: BurnState | null): 'too-early' | 'shared' | null {
  if (state === null || state.until - state.since < limit.shortMs) return 'too-early'
  const { short, long } = burnWindows(limit, state)
  const isBurning = ({ stable: { bad, total } }: Sides): boolean =>
    total >= MIN_STABLE_REQUESTS && bad / total > limit.limitShare
  return isBurning(short) || isBurning(long) ? 'shared' : null
}

const NOTHING: SideCount = { bad: 0, total: 0 }

const plus = <S extends Sides>(a: S, b: Sides): S => ({
  ...a,
  candidate: sum(a.candidate, b.candidate),
  stable: sum(a.stable, b.stable),
})

const sum = (a: SideCount, b: SideCount): SideCount => ({ bad: a.bad + b.bad, total: a.total + b.total })
