import * as z from 'zod'
import type { Release } from '../core/release/release.ts'
import { Release as ReleaseSchema } from '../core/release/release.ts'
import { ReleaseAbout } from '../core/release/release-about.ts'
import type { ServiceState } from '../core/rollout/state.ts'
import { ok } from '../core/shared/result.ts'
import { RELEASE_DOCUMENT } from '../engine/effects.ts'
import { blocksOf, elsewhereOf, type PlacedBlock } from './blocks.ts'
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
  /** Where and why it is blocked: no deploy brings it before somebody lifts that. */
  blocked: z.string().nullable(),
  about: ReleaseAbout.exactOptional(),
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
    const blocks = await blocksOf(context, stream)
    if (blocks.kind === 'failed') return blocks
    return ok({ releases: releases.map((release) => lineOf(state, release, blocks.value)) })
  },
})

function lineOf(state: ServiceState, release: Release, blocks: readonly PlacedBlock[]): ReleaseLine {
  const { id, version, artifact, createdAt, createdBy, adopted, about } = release
  const standing = standingOf(state, id)
  const here = blocks.find(({ stream, block }) => stream === state.stream && block.release === id)
  const placed = here ?? elsewhereOf(blocks, release)
  const whyNot = whyNoTarget(standing, { adopted, blocked: here !== undefined })
  return {
    id,
    version,
    digest: artifact.digest,
    createdAt,
    createdBy,
    state: standing,
    rollbackReady: whyNot === null,
    whyNot,
    blocked: placed === undefined ? null : `in ${placed.stream}: ${placed.block.reason.message}`,
    ...(about === undefined ? {} : { about }),
  }
}

function whyNoTarget(
  standing: ReleaseLine['state'],
  { adopted, blocked }: { adopted: boolean; blocked: boolean },
): string | null {
  if (adopted) return 'it was adopted, so there is no artifact to start it from'
  if (standing === 'stable') return 'it is stable now'
  if (standing !== 'previous' && standing !== 'warm') return 'it was never stable'
  return blocked ? 'it is blocked; only by force' : null
}

function standingOf(state: ServiceState, id: string): ReleaseLine['state'] {
  if (state.stable?.release === id) return 'stable'
  const role = state.sets.find(({ release }) => release === id)?.role
  if (role === 'candidate' || role === 'warm') return role
  return state.previous.some(({ release }) => release === id) ? 'previous' : 'other'
}
