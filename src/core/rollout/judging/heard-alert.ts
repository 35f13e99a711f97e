import * as z from 'zod'
import { Alert } from '../../shared/alert.ts'

export const AlertAction = z.enum(['rollback', 'pause', 'report'])
export type AlertAction = z.infer<typeof AlertAction>

/** An alert that a rollout has heard of, and what follows from it. */
export const HeardAlert = Alert.omit({ status: true }).extend({
  heardAt: z.number(),
  /** `null` while it fires. */
  endedAt: z.number().nullable(),
  action: AlertAction,
  /** Why nothing follows from it, although its severity would have it so; empty otherwise. */
  why: z.string(),
})
export type HeardAlert = z.infer<typeof HeardAlert>
