import type { CheckResult, NamedCheck } from '../../core/shared/health-check.ts'
import type { ProbeAnswer } from '../probe.ts'

/** After a failure: soon enough to tell a hiccup from an outage. */
const ASK_AGAIN_MS = 5000

/** One named check of one instance: what the answers came to (`found`), and what is said about it (`result`). */
export type Watched = {
  result: CheckResult
  found: CheckResult['state']
  /** When the question was put whose answer changed `found`, and the last one that was answered. */
  changedAt: number
  begunAt: number
  /** In a row; between none and those that make it failing nothing is certain. */
  failures: number
  isCertain: boolean
  nextAt: number
  asking: boolean
}

export const newlyWatched = ({ name, kind, onFailure }: NamedCheck, now: number): Watched => ({
  result: { name, kind, onFailure, state: 'unknown', since: now, message: null },
  found: 'unknown',
  changedAt: 0,
  begunAt: -1,
  failures: 0,
  isCertain: false,
  nextAt: now,
  asking: false,
})

/** Takes an answer in. */
export function note(
  watched: Watched,
  check: NamedCheck,
  { answer, begun }: { answer: ProbeAnswer; begun: number },
): void {
  const passed = answer.kind === 'passed'
  watched.begunAt = begun
  watched.failures = passed ? 0 : watched.failures + 1
  watched.isCertain = passed || watched.failures >= check.failures
  watched.nextAt = begun + (passed ? check.everyMs : Math.min(check.everyMs, ASK_AGAIN_MS))
  watched.result = { ...watched.result, message: passed ? null : answer.failure.message }
  const found = passed ? 'passing' : watched.isCertain ? 'failing' : watched.found
  if (found === watched.found) return
  Object.assign(watched, { found, changedAt: begun })
}

/** When a change was found that is not said yet; the others must be asked since then. 0 for none. */
export const changeOf = (group: readonly Watched[]): number =>
  Math.max(0, ...group.filter(isNews).map(({ changedAt }) => changedAt))

const isNews = ({ found, result }: Watched): boolean => found !== result.state

/**
 * Says what was found, about all of a group at once, when each was asked since the last change and none is in doubt.
 * So whoever compares releases sees what is true of all of them at one time: a database that went away is seen to be
 * gone for stable, too, before the candidate is blamed for it.
 */
export function settle(group: readonly Watched[]): void {
  const change = changeOf(group)
  const settled =
    group.some(isNews) && group.every(({ begunAt, isCertain }) => isCertain && begunAt >= change)
  if (!settled) return
  for (const watched of group)
    if (isNews(watched))
      watched.result = { ...watched.result, state: watched.found, since: watched.changedAt }
}
