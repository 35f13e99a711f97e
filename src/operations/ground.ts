import { Release } from '../core/release/release.ts'
import type { Finding } from '../core/shared/finding.ts'
import type { KeptImage } from '../core/shared/kept-image.ts'
import { RELEASE_DOCUMENT } from '../engine/effects.ts'
import { releasesInUse } from '../engine/retention.ts'
import type { OperationContext } from './context.ts'

const RELEASE_LIMIT = 10_000

/** What is wrong with the ground that instances stand on: an engine, and the images of releases that may have to start. */
export async function ofTarget({ store, engine, target }: OperationContext): Promise<Finding[]> {
  if (target.diagnose === undefined) return []
  const streams = await store.streams()
  const documents = await store.listDocuments({ kind: RELEASE_DOCUMENT, limit: RELEASE_LIMIT })
  if (streams.kind === 'failed' || documents.kind === 'failed') return []
  const loaded = await Promise.all(streams.value.map((stream) => engine.load(stream)))
  const inUse = new Set(loaded.flatMap((one) => (one.kind === 'ok' ? releasesInUse(one.value.state) : [])))
  const kept = documents.value.flatMap(({ body }): KeptImage[] => {
    const { data } = Release.safeParse(body)
    const image = data?.artifact.image
    if (data === undefined || image === undefined || !inUse.has(data.id)) return []
    return [{ release: data.id, image, digest: data.artifact.digest }]
  })
  const found = await target.diagnose(kept)
  if (found.kind === 'ok') return found.value
  const { code, message, remedy } = found.problem
  return [{ level: 'warning', code, message, remedy }]
}
