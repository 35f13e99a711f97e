import * as z from 'zod'

/** The image of a release that may still have to start. */
export const KeptImage = z.object({ release: z.string(), image: z.string(), digest: z.string() })
export type KeptImage = z.infer<typeof KeptImage>
