import * as z from 'zod'
import type { ReleaseAbout } from '../core/release/release-about.ts'
import { RolloutSummary } from '../core/rollout/view/view.ts'
import { ok } from '../core/shared/result.ts'
import { loadRelease } from '../engine/effects.ts'
import { ROLLOUT_DOCUMENT, RolloutRecord, summaryOf } from '../engine/record.ts'
import type { OperationContext } from './context.ts'
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
    const summaries = documents.value.flatMap(({ body }) => {
      const record = RolloutRecord.safeParse(body)
      return record.success ? [summaryOf(record.data)] : []
    })
    const about = await aboutOf(
      context,
      summaries.map(({ to }) => to.release),
    )
    return ok({
      rollouts: summaries.map((summary) => {
        const said = about.get(summary.to.release)
        return said === undefined ? summary : { ...summary, about: said }
      }),
    })
  },
})

/** What was said about each release; one whose record is gone or cannot be read has nothing to say. */
async function aboutOf(
  { store }: OperationContext,
  releases: readonly string[],
): Promise<Map<string, ReleaseAbout>> {
  const about = new Map<string, ReleaseAbout>()
  for (const id of new Set(releases)) {
    const release = await loadRelease(store, id)
    if (release.kind === 'ok' && release.value.about !== undefined) about.set(id, release.value.about)
  }
  return about
}
