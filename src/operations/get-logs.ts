import * as z from 'zod'
import { ok } from '../core/shared/result.ts'
import { operationOf } from './context.ts'
import { findStream, ServiceInput } from './service-input.ts'

export const getLogs = operationOf({
  name: 'get_logs',
  summary: 'Last lines the instances of a service wrote; secrets are redacted.',
  input: ServiceInput.extend({
    release: z.string().exactOptional().describe('Only this release, by id or version.'),
    lines: z.int().min(1).max(5000).default(200),
  }),
  output: z.object({
    lines: z.array(z.object({ instance: z.string(), release: z.string(), line: z.string() })),
  }),
  permission: 'read',
  run: async (context, { release, lines, ...input }) => {
    const stream = await findStream(context, input)
    if (stream.kind === 'failed') return stream
    const found = await context.target.logs({ service: stream.value, lines })
    if (found.kind === 'failed') return found
    return ok({
      lines:
        release === undefined
          ? found.value
          : found.value.filter((line) => line.release === release || line.release.startsWith(`${release}-`)),
    })
  },
})
