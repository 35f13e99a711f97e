import * as z from 'zod'
import { ok, type Result } from '../core/shared/result.ts'
import { type OperationContext, operationOf } from './context.ts'
import { findStream, ServiceInput } from './service-input.ts'

const Logs = z.object({
  lines: z.array(z.object({ instance: z.string(), release: z.string(), line: z.string() })),
})
type Logs = z.infer<typeof Logs>

export const getLogs = operationOf({
  name: 'get_logs',
  summary:
    'Last lines the instances of a service wrote, secrets redacted; or, of the access log, last lines about its requests.',
  input: ServiceInput.extend({
    release: z.string().exactOptional().describe('Only this release, by id or version.'),
    lines: z.int().min(1).max(5000).default(200),
    access: z
      .boolean()
      .default(false)
      .describe('The access log of the proxy instead: one line of JSON for each request.'),
  }),
  output: Logs,
  permission: 'read',
  run: async (context, { release, lines, access, ...input }) => {
    const stream = await findStream(context, input)
    if (stream.kind === 'failed') return stream
    if (access) return accessLog(context, stream.value, lines)
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

/** Of all versions: each line says which one it was. */
async function accessLog(
  { accessLines }: OperationContext,
  stream: string,
  count: number,
): Promise<Result<Logs>> {
  const found = await accessLines(stream, count)
  if (found.kind === 'failed') return found
  return ok({ lines: found.value.map((line) => ({ instance: 'access', release: '', line })) })
}
