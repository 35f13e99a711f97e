import * as z from 'zod'
import { RolloutSummary } from '../core/rollout/view.ts'
import { ok } from '../core/shared/result.ts'
import { ROLLOUT_DOCUMENT, RolloutRecord, summaryOf } from '../engine/record.ts'
import { operationOf } from './context.ts'
import { findStream, ServiceInput } from './service-input.ts'

export const listRollouts = operationOf({
  name: 'list_rollouts',
  summary: 'Rollouts of a service, newest first.',
  input: ServiceInput.extend({ limit: z.int().min(1).max(500).default(20) }),
  output: z.object({ rollouts: z.array(RolloutSummary) }),
  permission: 'read',
  run: async (context, { limit, ...input }) => {
    const stream = await findStream(context, input)
    if (stream.kind === 'failed') return stream
    const documents = await context.store.listDocuments({
      kind: ROLLOUT_DOCUMENT,
      stream: stream.value,
      limit,
    })
    if (documents.kind === 'failed') return documents
    return ok({
      rollouts: documents.value
        .flatMap(({ body }) => RolloutRecord.safeParse(body).data ?? [])
        .map(summaryOf),
    })
  },
})
