import { logMeanExp, logTermsAgainstLimit, type SideCount } from './e-process.ts'

/**
 * Evidence that a rate has risen above a limit at some unknown time, however often one looks. One e-process begins with
 * every batch; their sum, divided by the number of batches that may come, is below an e-process of its own, so it reaches
 * 1/alpha with probability at most alpha while nothing is wrong. A fault after 20 good hours is found as fast as one
 * after two minutes, which a single e-process from the beginning could not do.
 *
 * Shin, Ramdas & Rinaldo, "E-detectors: a nonparametric framework for sequential change detection", 2024 (the
 * Shiryaev-Roberts form).
 *
 * @returns log of the sum, one for each alternative; an empty list stands for the beginning.
 */
export function logSumsAfter(logSums: readonly number[], batch: SideCount, limitShare: number): number[] {
  return logTermsAgainstLimit(batch, limitShare).map((term, index) => {
    const before = logSums[index]
    return term + (before === undefined ? 0 : logAddOne(before))
  })
}

/** Log evidence of a change anywhere within a watch of at most so many batches. */
export const logEvidenceOfChange = (logSums: readonly number[], batches: number): number =>
  logSums.length === 0 ? Number.NEGATIVE_INFINITY : logMeanExp(logSums) - Math.log(Math.max(1, batches))

/** ln(e^x + 1), without overflow. */
const logAddOne = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)))

/** What the evidence piled up from: since when it last stood at nothing. */
export type SuspectRun = SideCount & { since: number; log: number }

/** CUSUM with the smallest alternative: where it falls to zero, nothing before that moment is suspect any more. */
export function suspectAfter(
  run: SuspectRun,
  batch: SideCount & { sinceAt: number },
  limitShare: number,
): SuspectRun {
  const [term = 0] = logTermsAgainstLimit(batch, limitShare)
  const begun = run.log > 0 ? run : { since: batch.sinceAt, bad: 0, total: 0, log: 0 }
  const log = Math.max(0, begun.log + term)
  return { since: begun.since, bad: begun.bad + batch.bad, total: begun.total + batch.total, log }
}

/**
 * The highest rate that a count allows for at confidence 1 - alpha (Chernoff's bound for Poisson counts; fixed time):
 * what was recorded may have been lucky.
 */
export function upperBoundOfRate({ bad, total }: SideCount, alpha: number): number {
  if (total === 0) return 1
  const needed = Math.log(1 / alpha)
  const against = (mean: number): number => mean - bad + (bad === 0 ? 0 : bad * Math.log(bad / mean))
  let low = bad
  let high = bad + needed + Math.sqrt(needed * (needed + 2 * bad)) + 1
  for (let round = 0; round < 60; round += 1) {
    const middle = (low + high) / 2
    if (middle > bad && against(middle) >= needed) high = middle
    else low = middle
  }
  return Math.min(1, high / total)
}
