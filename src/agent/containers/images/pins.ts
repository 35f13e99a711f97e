import { createHash } from 'node:crypto'
import * as z from 'zod'
import { ok, type Result } from '../../../core/shared/result.ts'
import type { Engine } from '../engine.ts'
import { askFor } from './ask-for.ts'

/**
 * Tags that hold images of kept releases: what has a tag is not swept away by `docker image prune`. A name of a registry
 * that cannot be, so that nobody ever pushes or pulls one, and one for each installation: several share an engine.
 */
const HOST = 'sluice.local'

/** `pulled`: we brought it here, so we may take it away again. `held`: it was here before us. */
export type PinKind = 'pulled' | 'held'
export type Pin = {
  kind: PinKind
  digest: string
  /** The engine's own id of the image. */
  image: string
  bytes: number
}

const Listed = z.array(
  z.object({
    Id: z.string(),
    Size: z.number().default(0),
    RepoTags: z.array(z.string()).nullable().default([]),
  }),
)
const Named = z.object({
  RepoTags: z.array(z.string()).nullable().default([]),
  RepoDigests: z.array(z.string()).nullable().default([]),
})

/** The name of an installation is the folder of its agent; a tag has no room for a path. */
const installationOf = (folder: string): string =>
  createHash('sha256').update(folder).digest('hex').slice(0, 12)

/** @example pinName('/srv/shop/.sluice/agent', { kind: 'pulled', digest: 'sha256:ab...' }) // 'sluice.local/pulled-1f0c...:sha256-ab...' */
export const pinName = (folder: string, { kind, digest }: Pick<Pin, 'kind' | 'digest'>): string =>
  `${HOST}/${kind}-${installationOf(folder)}:${digest.replace(':', '-')}`

/** What a tag holds, when it is a pin of this installation. */
export function readPin(folder: string, tag: string): Pick<Pin, 'kind' | 'digest'> | null {
  const [, kind, installation, hex] =
    /^sluice\.local\/(pulled|held)-([0-9a-f]{12}):sha256-([0-9a-f]{64})$/.exec(tag) ?? []
  if (installation !== installationOf(folder) || (kind !== 'pulled' && kind !== 'held')) return null
  return { kind, digest: `sha256:${hex}` }
}

/** All pins of this installation. */
export async function listPins(engine: Engine, folder: string): Promise<Result<Pin[]>> {
  const found = await askFor(engine, { what: 'list its images', shape: Listed }, (docker) =>
    docker.listImages({ filters: { reference: [`${HOST}/*-${installationOf(folder)}`] } }),
  )
  if (found.kind === 'failed') return found
  return ok(
    found.value.flatMap(({ Id: image, Size: bytes, RepoTags }) =>
      (RepoTags ?? []).flatMap((tag) => {
        const pin = readPin(folder, tag)
        return pin === null ? [] : { ...pin, image, bytes }
      }),
    ),
  )
}

/**
 * What is held under this digest, if anything. Tidying up takes names one after the other, of images that containers run
 * from as well, and leaves those the last one: it may be ours and not the digest.
 */
export async function pinOf(engine: Engine, folder: string, digest: string): Promise<Result<Pin | null>> {
  const pins = await listPins(engine, folder)
  return pins.kind === 'failed' ? pins : ok(pins.value.find((one) => one.digest === digest) ?? null)
}

/** Holds an image; holding it twice is holding it once. */
export async function pin(
  engine: Engine,
  { folder, image, ...of }: Pick<Pin, 'kind' | 'digest' | 'image'> & { folder: string },
): Promise<Result<void>> {
  const [repo = '', tag = ''] = pinName(folder, of).split(/:(?=sha256-)/)
  const made = await engine.ask({ what: `pin the image ${of.digest}` }, (docker) =>
    docker.getImage(image).tag({ repo, tag }),
  )
  return made.kind === 'ok' ? ok(undefined) : made
}

/**
 * Lets go of an image. One that we pulled and that nobody else names goes with it; the engine keeps what a container
 * runs from, and then the pin stays, too, for the next time.
 */
export async function unpin(
  engine: Engine,
  folder: string,
  pinned: Pin,
): Promise<Result<'removed' | 'in use'>> {
  const own = pinName(folder, pinned)
  const found = await askFor(engine, { what: `look at the image ${own}`, shape: Named }, (docker) =>
    docker.getImage(own).inspect(),
  )
  if (found.kind === 'failed') return found.problem.code === 'DOCKER_NOT_FOUND' ? ok('removed') : found
  const { RepoTags, RepoDigests } = found.value
  const isOthers = (RepoTags ?? []).some((tag) => tag !== own)
  // References by digest came with our pull; where somebody has given it a tag, it is theirs, too.
  const ours = pinned.kind === 'pulled' && !isOthers ? (RepoDigests ?? []) : []
  for (const name of [...ours, own]) {
    const removed = await engine.ask({ what: `let go of the image ${name}` }, (docker) =>
      docker.getImage(name).remove(),
    )
    if (removed.kind === 'ok' || removed.problem.code === 'DOCKER_NOT_FOUND') continue
    return removed.problem.code === 'DOCKER_CONFLICT' ? ok('in use') : removed
  }
  return ok('removed')
}
