import type { Release } from '../core/release/release.ts'
import type { Block } from '../core/rollout/block.ts'
import { releaseBlocked } from '../core/rollout/refusal.ts'
import type { Problem } from '../core/shared/problem.ts'
import type { Result } from '../core/shared/result.ts'
import { ok } from '../core/shared/result.ts'
import type { Engine } from '../engine/engine.ts'
import type { Store } from '../ports/store.ts'

/** What is needed to look into the other environments. */
export type BlocksContext = { store: Pick<Store, 'streams'>; engine: Pick<Engine, 'load'> }

/** A block, and the stream whose state holds it. */
export type PlacedBlock = { stream: string; block: Block }

/** Every block of a service, in all its environments. The states are the only record, so none of them can be out of date. */
export async function blocksOf(context: BlocksContext, stream: string): Promise<Result<PlacedBlock[]>> {
  const streams = await context.store.streams()
  if (streams.kind === 'failed') return streams
  const found: PlacedBlock[] = []
  for (const one of streams.value.filter((other) => serviceOf(other) === serviceOf(stream))) {
    const loaded = await context.engine.load(one)
    // What is blocked there cannot be told, and a release that may be blocked is not let through on a guess.
    if (loaded.kind === 'failed') return loaded
    found.push(...loaded.value.state.blocks.map((block) => ({ stream: one, block })))
  }
  return ok(found)
}

/** A release of the same bytes that is blocked in another environment; its own one is looked at by the decision itself. */
export const elsewhereOf = (
  blocks: readonly PlacedBlock[],
  { stream, artifact }: Pick<Release, 'stream' | 'artifact'>,
): PlacedBlock | undefined =>
  blocks.find((placed) => placed.stream !== stream && placed.block.digest === artifact.digest)

/** Why a release may not come to this environment after it failed in another one, or `null`. */
export async function refusalElsewhere(
  context: BlocksContext,
  release: Pick<Release, 'stream' | 'artifact'>,
): Promise<Result<Problem | null>> {
  const blocks = await blocksOf(context, release.stream)
  if (blocks.kind === 'failed') return blocks
  const found = elsewhereOf(blocks.value, release)
  return ok(
    found === undefined ? null : releaseBlocked(found.block, { where: found.stream, isWayBack: false }),
  )
}

const serviceOf = (stream: string): string => stream.split('.')[0] ?? stream
