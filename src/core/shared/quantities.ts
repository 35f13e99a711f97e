import * as z from 'zod'

/** Milliseconds, whole ones. */
export const DurationMs = z.int().nonnegative()

export const SharePercent = z.number().min(0).max(100)
