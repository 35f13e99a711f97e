import * as z from 'zod'
import { problem } from '../core/shared/problem.ts'
import type { Result } from '../core/shared/result.ts'
import { failed, ok } from '../core/shared/result.ts'

/** Clocks of two machines differ by this much without being wrong. */
const TOLERANCE_MS = 60_000

/** A moment with its offset, so that nobody has to guess the zone. */
export const FutureTime = z.iso
  .datetime({ offset: true, error: 'must be a date and time with an offset, like 2026-11-23T09:00:00+01:00' })
  .exactOptional()

/** Milliseconds since the epoch; `null` when no time was named. A time in the past is a slip. */
export function futureTime(text: string | undefined, now: number): Result<number | null> {
  if (text === undefined) return ok(null)
  const at = Date.parse(text)
  if (at >= now - TOLERANCE_MS) return ok(at)
  return failed(
    problem('TIME_IN_PAST', {
      message: `${text} is over: it is ${new Date(now).toISOString()} now.`,
      remedy: 'Name a time to come.',
    }),
  )
}
