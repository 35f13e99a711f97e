import { ok } from '../core/shared/result.ts'
import { BASELINE_DOCUMENT } from '../engine/baselines.ts'
import type { Engine } from '../engine/engine.ts'
import { forgetOld, neededBy } from '../engine/history.ts'
import type { Retention } from '../engine/retention.ts'
import { PLAN_DOCUMENT } from '../operations/make-plan.ts'
import { REQUEST_DOCUMENT } from '../operations/once.ts'
import type { Clock } from '../ports/clock.ts'
import type { Log } from '../ports/log.ts'
import type { Store } from '../ports/store.ts'

const DAY_MS = 24 * 3_600_000
const EVERY_MS = 3_600_000
/** A start has better things to do than to tidy up. */
const FIRST_AFTER_MS = 60_000
/** Nobody agrees to a plan of last week, nobody sends a request again after a month, and what a release did a quarter ago is no measure. */
const PASSING = [
  { kind: PLAN_DOCUMENT, afterMs: 7 * DAY_MS },
  { kind: REQUEST_DOCUMENT, afterMs: 30 * DAY_MS },
  { kind: BASELINE_DOCUMENT, afterMs: 90 * DAY_MS },
]

type Parts = { store: Store; engine: Engine; retention: Retention; clock: Clock; log: Log }

/** Each hour what is long over goes, also when several controllers do it: all of them come to the same. */
export async function forgetHistory(
  { store, engine, retention, clock, log }: Parts,
  signal: AbortSignal,
): Promise<void> {
  const needed = async (stream: string) => {
    const loaded = await engine.load(stream)
    if (loaded.kind === 'failed') return loaded
    return ok({ ...neededBy(loaded.value.state), revision: loaded.value.revision })
  }
  for (let pauseMs = FIRST_AFTER_MS; ; pauseMs = EVERY_MS) {
    await clock.sleep(pauseMs, signal)
    if (signal.aborted) return
    const forgotten = await retention.alone(() =>
      forgetOld({ store, needed, passing: PASSING, now: clock.now() }),
    )
    if (forgotten.kind === 'failed')
      log.warn('old history could not be removed', { problem: forgotten.problem })
    else if (Object.values(forgotten.value).some((count) => count > 0))
      log.info('old history was removed', forgotten.value)
  }
}
