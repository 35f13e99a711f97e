import { setTimeout as pause } from 'node:timers/promises'
import { failed, ok, type Result } from '../../core/shared/result.ts'
import type { InstanceRecord } from '../instance-record.ts'
import type { ContainerParts } from './container-parts.ts'
import { isEngineAway } from './engine-problem.ts'
import type { Fence } from './fence.ts'
import { imageGone, lacksImage } from './start-problem.ts'

type Parts = Pick<ContainerParts, 'images' | 'ledger' | 'registry'> & { fence: Fence; isClosed(): boolean }
type Making<T> = { record: InstanceRecord; image: string; make(image: string): Promise<Result<T>> }

/** How soon a start that waits for its image is seen to be wanted no more. */
const LOOK_EVERY_MS = 500

/** Makes a container; an image that somebody has removed is pulled again first. `null`: the instance is wanted no more. */
export async function madeWithImage<T>(
  parts: Parts,
  { record: { id, service }, image, make }: Making<T>,
): Promise<Result<T | null>> {
  const made = await make(image)
  if (made.kind === 'ok' || !lacksImage(made.problem)) return made
  const message = `its image ${image} is not on this machine any more and is pulled again`
  parts.ledger.apply(id, { kind: 'held-up', at: Date.now(), message })
  const brought = await broughtBack(parts, { id, image })
  if (brought === null) return ok(null)
  if (brought.kind === 'failed')
    return isEngineAway(brought.problem) ? brought : failed(imageGone(image, brought.problem))
  // A pull takes its time: somebody with a newer command may have come.
  const fenced = await parts.fence.check(service)
  return fenced.kind === 'failed' ? fenced : await make(brought.value)
}

/** The pull goes on for others, and for the next try, when this instance is wanted no more. */
async function broughtBack(
  { images, registry, isClosed }: Parts,
  { id, image }: { id: string; image: string },
): Promise<Result<string> | null> {
  const isWanted = (): boolean => !isClosed() && registry.findInstance(id)?.state === 'starting'
  const pulling = images.bringBack(image)
  while (isWanted()) {
    const brought = await Promise.race([pulling, pause(LOOK_EVERY_MS).then(() => null)])
    if (brought !== null) return isWanted() ? brought : null
  }
  return null
}
