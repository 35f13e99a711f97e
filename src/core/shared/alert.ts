import * as z from 'zod'

/** What a monitoring system says about a service. Texts are cut to a length that fits into a journal. */
export const Alert = z.object({
  /** The same for the same alert, whenever it is sent. */
  fingerprint: z.string(),
  name: z.string(),
  status: z.enum(['firing', 'resolved']),
  labels: z.record(z.string(), z.string()),
  summary: z.string(),
  /** Where a person can look, as an http or https address. */
  link: z.string().nullable(),
  /** Since when it fires, by the clock of the sender. */
  startsAt: z.number(),
})
export type Alert = z.infer<typeof Alert>

export const severityOf = ({ labels }: Pick<Alert, 'labels'>): string => labels.severity ?? 'none'
