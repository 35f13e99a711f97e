import * as z from 'zod'
import { Release } from '../core/release/release.ts'
import type { BlockedRelease } from '../core/rollout/command.ts'
import { problem } from '../core/shared/problem.ts'
import type { Result } from '../core/shared/result.ts'
import { failed, ok } from '../core/shared/result.ts'
import { RELEASE_DOCUMENT } from '../engine/effects.ts'
import type { OperationContext } from './context.ts'
import { operationOf } from './context.ts'
import { HandOutput } from './hand.ts'
import { actorOf, findStream, RequiredReason, ServiceInput } from './service-input.ts'

/** Releases that are looked through for a version, newest first. */
const RELEASE_LIMIT = 200

export const blockRelease = operationOf({
  name: 'block_release',
  summary:
    'Keep a release, and its bytes, out of every environment of the service until somebody lifts it. What runs goes on.',
  input: ServiceInput.extend({
    release: z.string().describe('Version or release; of a version, the one made last.'),
    reason: RequiredReason,
  }),
  output: HandOutput,
  permission: 'operate',
  run: async (context, { release, reason, ...input }, caller) => {
    const stream = await findStream(context, input)
    if (stream.kind === 'failed') return stream
    const found = await findRelease(context, stream.value, release)
    if (found.kind === 'failed') return found
    const order = { kind: 'block' as const, release: found.value, actor: actorOf(caller), note: reason }
    const decided = await context.engine.handle(stream.value, order)
    return decided.kind === 'failed' ? decided : ok({ view: context.viewOf(stream.value, decided.value) })
  },
})

async function findRelease(
  { store }: OperationContext,
  stream: string,
  named: string,
): Promise<Result<BlockedRelease>> {
  const documents = await store.listDocuments({ kind: RELEASE_DOCUMENT, stream, limit: RELEASE_LIMIT })
  if (documents.kind === 'failed') return documents
  const releases = documents.value.flatMap(({ body }) => Release.safeParse(body).data ?? [])
  const found = releases.find(({ id, version }) => id === named || version === named)
  if (found === undefined)
    return failed(
      problem('RELEASE_NOT_FOUND', {
        message: `${stream} has no release ${named}.`,
        remedy: 'See "sluice release list" for the releases there are.',
      }),
    )
  return ok({ release: found.id, version: found.version, digest: found.artifact.digest })
}
