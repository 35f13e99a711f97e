import * as z from 'zod'

export const LoadOrder = z.enum(['open-sockets', 'close-sockets', 'mark', 'stop'])
export type LoadOrder = z.infer<typeof LoadOrder>

export const LoadReply = z.object({
  sent: z.int(),
  /** Sent a second time, because an idle connection was reset under them. */
  sentAgain: z.int(),
  /** Lost, answered with 5xx (the app never does), or not sent because too many were waiting. */
  failed: z.int(),
  samples: z.array(z.string()),
  byKind: z.record(z.string(), z.number()),
  maxSendDelayMs: z.number(),
  /** `broken`: not opened, ended without a goodbye, or echoed wrongly. Of the sockets opened last. */
  sockets: z.object({ broken: z.int(), graceful: z.int() }),
})
export type LoadReply = z.infer<typeof LoadReply>
