import * as z from 'zod'

/** Something that was looked at: in order, worth a look, or wrong; and what to do about it. */
export const Finding = z.object({
  level: z.enum(['ok', 'warning', 'problem']),
  code: z.string(),
  message: z.string(),
  remedy: z.string().nullable(),
})
export type Finding = z.infer<typeof Finding>
