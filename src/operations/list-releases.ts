import * as z from 'zod'
import type { Release } from '../core/release/release.ts'
import { Release as ReleaseSchema } from '../core/release/release.ts'
import type { ServiceState } from '../core/rollout/state.ts'
import { ok } from '../core/shared/result.ts'
import { RELEASE_DOCUMENT } from '../engine/effects.ts'
import { operationOf } from './context.ts'
import { loadService, ServiceInput } from './service-input.ts'

const ReleaseLine = z.object({
  id: z.string(),
  version: z.string(),
  digest: z.string(),
  createdAt: z.number(),
  createdBy: z.string(),
  state: z.enum(['stable', 'candidate', 'warm', 'previous', 'other']),
  rollbackReady: z.boolean(),
  whyNot: z.string().nullable(),
})
type ReleaseLine = z.infer<typeof ReleaseLine>

const RELEASE_LIMIT = 200

export const listReleases = operationOf({
  name: 'list_releases',
  summary: 'Releases of a service, newest first, and whether a rollback could go there.',
  input: ServiceInput,
  output: z.object({ releases: z.array(ReleaseLine) }),
  permission: 'read',
  run: async (context, input) => {
    const service = await loadService(context, input)
    if (service.kind === 'failed') return service
    const { stream, state } = service.value
    const documents = await context.store.listDocuments({
      kind: RELEASE_DOCUMENT,
      stream,
      limit: RELEASE_LIMIT,
    })
    if (documents.kind === 'failed') return documents
    const releases = documents.value.flatMap(({ body }) => ReleaseSchema.safeParse(body).data ?? [])
    return ok({ releases: releases.map((release) => lineOf(state, release)) })
  },
})

function lineOf(
  state: ServiceState,
  { id, version, artifact, createdAt, createdBy, adopted }: Release,
): ReleaseLine {
  const standing = standingOf(state, id)
  const whyNot = adopted
    ? 'it was adopted, so there is no artifact to start it from'
    : standing === 'previous' || standing === 'warm'
      ? null
      : standing === 'stable'
        ? 'it is stable now'
        : 'it was never stable'
  return {
    id,
    version,
    digest: artifact.digest,
    createdAt,
    createdBy,
    state: standing,
    rollbackReady: whyNot === null,
    whyNot,
  }
}

function standingOf(state: ServiceState, id: string): ReleaseLine['state'] {
  if (state.stable?.release === id) return 'stable'
  const role = state.sets.find(({ release }) => release === id)?.role
  if (role === 'candidate' || role === 'warm') return role
  return state.previous.some(({ release }) => release === id) ? 'previous' : 'other'
}
