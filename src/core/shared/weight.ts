import * as z from 'zod'

/** All weights of a service add up to this: shares are whole per mille, as exact as a block of 1,000 requests. */
export const TOTAL_PERMILLE = 1000

/** A share of live traffic in per mille, 0 to 1000 (so 50 is 5%). */
export const WeightPermille = z.int().min(0).max(TOTAL_PERMILLE)
export type WeightPermille = z.infer<typeof WeightPermille>

/** `50` -> `5%`, `5` -> `0.5%`. */
export const formatWeight = (permille: WeightPermille): string => `${permille / 10}%`
