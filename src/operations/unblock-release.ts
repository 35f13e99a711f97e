import * as z from 'zod'
import { problem } from '../core/shared/problem.ts'
import { failed } from '../core/shared/result.ts'
import { blocksOf } from './blocks.ts'
import { operationOf } from './context.ts'
import { HandOutput } from './hand.ts'
import { actorOf, findStream, RequiredReason, ServiceInput, viewService } from './service-input.ts'

export const unblockRelease = operationOf({
  name: 'unblock_release',
  summary: 'Lift the block of a release in every environment of the service.',
  input: ServiceInput.extend({
    release: z.string().describe('Version or release that is blocked.'),
    reason: RequiredReason,
  }),
  output: HandOutput,
  permission: 'operate',
  run: async (context, { release, reason, ...input }, caller) => {
    const stream = await findStream(context, input)
    if (stream.kind === 'failed') return stream
    const blocks = await blocksOf(context, stream.value)
    if (blocks.kind === 'failed') return blocks
    const named = blocks.value.filter(({ block }) => [block.release, block.version].includes(release))
    // The release of the same bytes has another id in each environment.
    const meant = blocks.value.filter(({ block }) => named.some((one) => one.block.digest === block.digest))
    if (meant.length === 0) return failed(notBlocked(release, stream.value))
    for (const { stream: place, block } of meant) {
      const order = { kind: 'unblock' as const, release: block.release, actor: actorOf(caller), note: reason }
      const lifted = await context.engine.handle(place, order)
      if (lifted.kind === 'failed' && lifted.problem.code !== 'NOT_BLOCKED') return lifted
    }
    const view = await viewService(context, stream.value)
    return view.kind === 'failed' ? view : { kind: 'ok', value: { view: view.value } }
  },
})

const notBlocked = (release: string, stream: string) =>
  problem('NOT_BLOCKED', {
    message: `${release} is not blocked in any environment of ${stream.split('.')[0] ?? stream}.`,
    remedy: 'See "sluice release list" for the releases that are.',
  })
