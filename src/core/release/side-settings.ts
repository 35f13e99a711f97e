import * as z from 'zod'
import { ListenAddress } from '../shared/listen-address.ts'
import { RequestMatch } from '../shared/side-routes.ts'

/** Users keep their version for so long. */
export const StickySettings = z.object({ cookie: z.string().min(1).max(100), forMs: z.int().positive() })
export type StickySettings = z.infer<typeof StickySettings>

/** Who else reaches the candidate, besides those whom the weights send there. Absent: not asked. */
export const SideSettings = z.object({
  /** An address that always shows the candidate. */
  preview: ListenAddress.exactOptional(),
  /** Requests that go to the candidate whatever its weight. */
  routes: z.array(RequestMatch).exactOptional(),
})
export type SideSettings = z.infer<typeof SideSettings>
