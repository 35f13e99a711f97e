import * as z from 'zod'
import type { SideCounts } from '../../analysis/batch.ts'
import { CountsCursor } from '../../analysis/counts-cursor.ts'
import { countIn, LightCheck } from '../../analysis/light-check.ts'
import { LightWatchSettings } from '../../release/strategy-settings.ts'
import { Problem } from '../../shared/problem.ts'
import { Reason } from '../reason.ts'

/** What was shown against the release since it was promoted: once for each check. */
export const LightAlarm = z.object({ at: z.number(), check: z.string(), reason: Reason })
export type LightAlarm = z.infer<typeof LightAlarm>

/**
 * The watch after the watch: the release is stable, nothing runs beside it, and somebody still looks now and then. It
 * never touches traffic itself.
 */
export const LightWatch = z.object({
  /** The rollout that made the release stable. */
  rollout: z.string(),
  release: z.string(),
  version: z.string(),
  startedAt: z.number(),
  settings: LightWatchSettings,
  checks: z.array(LightCheck),
  /** Where the last count that was kept left the counters. */
  cursor: CountsCursor.nullable(),
  requests: z.int(),
  errors: z.int(),
  /** Without numbers since; `null` while they come. */
  blindSince: z.number().nullable(),
  /** The problem of the source, where it named one. */
  blindBecause: Problem.nullable(),
  /** Earlier times without numbers, together: they do not count as watched. */
  blindMs: z.number(),
  alarms: z.array(LightAlarm),
  /** How long instances took to be ready in the rollout: what the way back will take, about. */
  backMs: z.number().nullable(),
})
export type LightWatch = z.infer<typeof LightWatch>

/** A look each minute, or as often as a shorter watch deserves. */
const LOOK_EVERY_MS = 60_000
const LOOKS_AT_LEAST = 120
/** How often counts are kept; what lies between is counted anew at each look. */
const KEEP_EVERY_MS = 600_000
const KEEPS_AT_LEAST = 24
/** Time without numbers is watched later instead, but the whole lasts no longer than this many times its length. */
const LONGEST_TIMES = 2

export const lookEveryMs = ({ settings }: LightWatch): number =>
  Math.min(LOOK_EVERY_MS, Math.ceil(settings.forMs / LOOKS_AT_LEAST))

export const keepEveryMs = ({ settings }: LightWatch): number =>
  Math.min(KEEP_EVERY_MS, Math.ceil(settings.forMs / KEEPS_AT_LEAST))

/** As many batches as the watch can have: the false-alarm budget is shared among the moments at which a fault may begin. */
export const batchesIn = (watch: LightWatch): number =>
  Math.ceil((LONGEST_TIMES * watch.settings.forMs) / Math.max(1, keepEveryMs(watch)))

/** Time in which nobody could look. */
export const blindMsOf = ({ blindMs, blindSince }: LightWatch, now: number): number =>
  blindMs + (blindSince === null ? 0 : Math.max(0, now - blindSince))

/** When it ends, if numbers come from now on. */
export const lightWatchUntil = (watch: LightWatch, now: number): number =>
  Math.min(
    watch.startedAt + watch.settings.forMs + blindMsOf(watch, now),
    watch.startedAt + LONGEST_TIMES * watch.settings.forMs,
  )

/** The watch with these counts in all its checks. */
export const withCounts = (watch: LightWatch, counts: SideCounts, sinceAt: number): LightWatch => ({
  ...watch,
  checks: watch.checks.map((check) => countIn(check, counts, sinceAt)),
  requests: watch.requests + counts.requests,
  errors: watch.errors + counts.errors,
})
