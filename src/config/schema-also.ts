import * as z from 'zod'
import { RouterName } from '../core/shared/router-ability.ts'
import { listenAddress } from './scalars.ts'
import { entryKeys } from './schema-entry.ts'

/** More routers for the same instances. */
export const AlsoSection = z
  .array(
    z.strictObject({
      router: z
        .enum(RouterName.options)
        .meta({ title: 'builtin, haproxy or nginx' })
        .describe('Another one than `router`, and each one once.'),
      listen: listenAddress().describe('An address of its own, on a fixed port.'),
      ...entryKeys,
    }),
  )
  .meta({ title: 'list of routers', default: 'none' })
  .describe(
    'More routers that send requests to the same instances, each at an address of its own, for example `[{ router: builtin, listen: 127.0.0.1:8090 }]`. They get every change of the weights, a step is done once all of them show it, and old instances stop once all of them let go. `hosts`, `paths` and `tls` stand here for each of them and are not taken over from the service. A preview is shown by `router` alone.',
  )
  .optional()
