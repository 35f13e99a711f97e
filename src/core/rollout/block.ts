import * as z from 'zod'
import { Reason } from './reason.ts'

/** A release that may not come into this environment again, nor its bytes into another one, until a person lifts it. */
export const Block = z.object({
  release: z.string(),
  version: z.string(),
  /** Digest of the artifact: what other environments know the same bytes by. */
  digest: z.string(),
  at: z.number(),
  /** The rollout that failed; `null` when a person blocked it by hand. */
  rollout: z.string().nullable(),
  reason: Reason,
})
export type Block = z.infer<typeof Block>

/** Blocks kept for one service in one environment. The oldest is forgotten first, long after its artifact is gone. */
export const BLOCKS_LIMIT = 200
