import { existsSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import * as z from 'zod'
import type { Problem } from '../../../core/shared/problem.ts'
import { failed, ok, type Result } from '../../../core/shared/result.ts'
import type { Engine } from '../engine.ts'
import { askFor } from './ask-for.ts'
import type { Credentials, FindCredentials } from './credentials.ts'
import {
  type Asked,
  goneForGood,
  imageProblem,
  mismatch,
  notHeld,
  pullFailed,
  wrongPlatform,
} from './image-problem.ts'
import { listPins, type Pin, type PinKind, pin, pinOf, unpin } from './pins.ts'
import { pull } from './pull.ts'
import { type Reference, referenceOf, textOf } from './reference.ts'

/** An image by its content, as a release names it. */
export type ResolvedImage = {
  digest: string
  /** What a container is made from. */
  image: string
  bytes: number
  warnings: string[]
}

export type ImageStore = {
  /** Finds what a tag means now, brings it here by its digest, looks that it fits this machine, and holds it. */
  resolve(request: { reference: string; version: string }): Promise<Result<ResolvedImage>>
  /**
   * Finds an image of a kept release that its name does not lead to any more, or pulls it again by its digest; all who ask
   * meanwhile wait for one pull. Answers with what a container can be made from.
   */
  bringBack(image: string): Promise<Result<string>>
  /** Whether its registry would give it out now, without a byte of it. */
  isPullable(image: string): Promise<Result<void>>
  /** Lets go of all but these. Answers with the digests that are gone. */
  prune(keep: readonly string[]): Promise<Result<string[]>>
  pins(): Promise<Result<Pin[]>>
}

export type ImageStoreParts = {
  engine: Engine
  credentials: FindCredentials
  /** The installation: the folder of the agent. */
  folder: string
}

/** A registry on the other side of the world that has to ask its own storage. */
const REGISTRY_LIMIT_MS = 30_000
/** For somebody who only looks, and waits for it. */
const LOOK_LIMIT_MS = 10_000

const Distribution = z.object({
  Descriptor: z.object({ digest: z.string().regex(/^sha256:[a-f0-9]{64}$/) }),
  Platforms: z
    .array(z.object({ architecture: z.string(), os: z.string() }))
    .nullable()
    .default([]),
})
const Inspected = z.object({
  Id: z.string().min(1),
  Size: z.number().default(0),
  Os: z.string().default(''),
  Architecture: z.string().default(''),
  RepoDigests: z.array(z.string()).nullable().default([]),
})
type Inspected = z.output<typeof Inspected>

export function createImageStore(parts: ImageStoreParts): ImageStore {
  const underWay = new Map<string, Promise<Result<ResolvedImage>>>()
  async function resolveBy(reference: string, version: string): Promise<Result<ResolvedImage>> {
    if (isId(reference)) return await resolveId(parts, reference)
    const named = referenceOf(reference, version)
    return named.kind === 'failed' ? named : await resolve(parts, named.value)
  }
  return {
    resolve: ({ reference, version }) => resolveBy(reference, version),
    bringBack: async (image) => {
      const pulling = underWay.get(image) ?? resolveBy(image, '').finally(() => underWay.delete(image))
      underWay.set(image, pulling)
      const brought = await pulling
      if (brought.kind === 'failed') return brought
      const pinned = await pinOf(parts.engine, parts.folder, brought.value.digest)
      return pinned.kind === 'failed' ? pinned : ok(pinned.value?.image ?? brought.value.image)
    },
    isPullable: (image) => isPullable(parts, image),
    prune: (keep) => prune(parts, keep),
    pins: async () => (hasHeld(parts) ? await listPins(parts.engine, parts.folder) : ok([])),
  }
}

async function isPullable(parts: ImageStoreParts, image: string): Promise<Result<void>> {
  if (isId(image)) return failed(goneForGood(image))
  const named = referenceOf(image, '')
  if (named.kind === 'failed') return named
  const { registry } = named.value
  const credentials = await parts.credentials(registry)
  if (credentials.kind === 'failed') return credentials
  const asked = { image, registry, limitMs: LOOK_LIMIT_MS }
  const found = await askRegistry(parts.engine, asked, credentials.value)
  return found.kind === 'ok' ? ok(undefined) : found
}

/** The engine's own name of an image that no registry ever had. */
const isId = (reference: string): boolean => /^sha256:[0-9a-f]{64}$/.test(reference)

async function resolveId(parts: ImageStoreParts, id: string): Promise<Result<ResolvedImage>> {
  const found = await inspect(parts.engine, id)
  if (found.kind === 'failed') return found
  if (found.value === null) return failed(goneForGood(id))
  return await hold(parts, {
    asked: { image: id, registry: '' },
    name: '',
    digest: null,
    found: found.value,
    kind: 'held',
  })
}

async function resolve(parts: ImageStoreParts, reference: Reference): Promise<Result<ResolvedImage>> {
  const asked: Asked = { image: textOf(reference), registry: reference.registry }
  const local = await inspect(parts.engine, asked.image)
  if (local.kind === 'failed') return local
  const { value: here } = local
  // By digest there is nothing to ask; without a registry in its name, what was only built here is meant.
  if (here !== null && (reference.digest !== null || isOnlyHere(reference, here)))
    return await hold(parts, {
      asked,
      name: reference.name,
      digest: reference.digest,
      found: here,
      kind: 'held',
    })
  const pinned =
    reference.digest === null ? ok(null) : await pinOf(parts.engine, parts.folder, reference.digest)
  if (pinned.kind === 'failed') return pinned
  if (pinned.value !== null) return ok({ ...asHeld(reference, pinned.value), warnings: [] })
  const credentials = await parts.credentials(reference.registry)
  if (credentials.kind === 'failed') return credentials
  if (reference.digest !== null)
    return await bring(parts, { asked, reference, digest: reference.digest, credentials: credentials.value })
  const digest = await askRegistry(parts.engine, asked, credentials.value)
  if (digest.kind === 'ok')
    return await bring(parts, { asked, reference, digest: digest.value, credentials: credentials.value })
  if (here === null || !isAbsence(digest.problem) || !mayBeOnlyHere(here)) return digest
  const held = await hold(parts, { asked, name: reference.name, digest: null, found: here, kind: 'held' })
  return held.kind === 'failed' ? held : ok({ ...held.value, warnings: [onlyHere(asked)] })
}

const asHeld = ({ name }: Reference, { digest, bytes }: Pin): Omit<ResolvedImage, 'warnings'> => ({
  digest,
  image: `${name}@${digest}`,
  bytes,
})

/** Never pushed and never pulled: no registry knows it. */
const isOnlyHere = ({ isQualified }: Reference, { RepoDigests }: Inspected): boolean =>
  !isQualified && (RepoDigests ?? []).length === 0

/**
 * What was pushed or pulled once is a copy of what a registry had then, and never stands in for what it has now. An engine
 * that keeps images by their manifest gives each its own digest, pushed or not: that says nothing.
 */
const mayBeOnlyHere = ({ Id, RepoDigests }: Inspected): boolean =>
  (RepoDigests ?? []).every((name) => name.endsWith(`@${Id}`))

const isAbsence = ({ code }: Problem): boolean => code === 'IMAGE_MISSING' || code === 'REGISTRY_DENIED'

const onlyHere = ({ image, registry }: Asked): string =>
  `${registry} does not have ${image}, so the one that was built on this machine is taken; no other machine has it`

/** The digest that a tag means at this moment. An image for other machines only is refused before a byte of it comes. */
async function askRegistry(
  engine: Engine,
  { limitMs = REGISTRY_LIMIT_MS, ...asked }: Asked & { limitMs?: number },
  credentials: Credentials | null,
): Promise<Result<string>> {
  const found = await askFor(
    engine,
    {
      what: `look for ${asked.image} at ${asked.registry}`,
      limitMs,
      shape: Distribution,
    },
    (docker) =>
      docker.getImage(asked.image).distribution(credentials === null ? {} : { authconfig: credentials }),
  )
  if (found.kind === 'failed') return failed(imageProblem(asked, found.problem))
  const { Descriptor, Platforms } = found.value
  const known = (Platforms ?? []).filter(
    ({ os, architecture }) => os !== '' && architecture !== '' && os !== 'unknown',
  )
  if (known.length === 0) return ok(Descriptor.digest)
  const wanted = await platformOf(engine)
  if (wanted.kind === 'failed') return wanted
  const is = known.map(({ os, architecture }) => `${os}/${architecture}`)
  return is.includes(wanted.value)
    ? ok(Descriptor.digest)
    : failed(wrongPlatform(asked, { is, wanted: wanted.value }))
}

type Bringing = { asked: Asked; reference: Reference; digest: string; credentials: Credentials | null }

/** Pulls what is not here yet, always by digest: the tag may mean something else by then. */
async function bring(
  parts: ImageStoreParts,
  { asked, reference, digest, credentials }: Bringing,
): Promise<Result<ResolvedImage>> {
  const { name } = reference
  const image = `${name}@${digest}`
  const before = await inspect(parts.engine, image)
  if (before.kind === 'failed') return before
  if (before.value !== null)
    return await hold(parts, { asked, name, digest, found: before.value, kind: 'held' })
  const pulled = await pull(parts.engine, { ...asked, image, credentials })
  if (pulled.kind === 'failed') return pulled
  const after = await inspect(parts.engine, image)
  if (after.kind === 'failed') return after
  if (after.value === null)
    return failed(pullFailed({ ...asked, image }, 'its answer ended, and the image is not here'))
  return await hold(parts, { asked, name, digest, found: after.value, kind: 'pulled' })
}

type Holding = {
  asked: Asked
  /** Before the digest. */
  name: string
  /** `null`: no registry knows it, and the engine's own id is its name. */
  digest: string | null
  found: Inspected
  kind: PinKind
}

/** The last look before it is held: it must carry the digest that was asked for, and be for this machine. */
async function hold(
  { engine, folder }: ImageStoreParts,
  { asked, name, digest, found, kind }: Holding,
): Promise<Result<ResolvedImage>> {
  if (digest !== null && !carries(found, digest))
    return failed(
      mismatch(asked, `the image ${found.Id} carries ${(found.RepoDigests ?? []).join(', ') || 'no digest'}`),
    )
  const wanted = await platformOf(engine)
  if (wanted.kind === 'failed') return wanted
  const is = `${found.Os}/${found.Architecture}`
  if (found.Os !== '' && found.Architecture !== '' && is !== wanted.value)
    return failed(wrongPlatform(asked, { is: [is], wanted: wanted.value }))
  const content = digest ?? found.Id
  writeFileSync(path.join(folder, MARK), '')
  const known = await listPins(engine, folder)
  if (known.kind === 'failed') return known
  if (!known.value.some((one) => one.digest === content)) {
    const held = await pin(engine, { folder, kind, digest: content, image: found.Id })
    if (held.kind === 'failed') return failed(notHeld(asked, held.problem))
  }
  return ok({
    digest: content,
    image: digest === null ? found.Id : `${name}@${digest}`,
    bytes: found.Size,
    warnings: [],
  })
}

/** An engine that keeps images by their manifest has it as the id. */
const carries = ({ Id, RepoDigests }: Inspected, digest: string): boolean =>
  Id === digest || (RepoDigests ?? []).some((name) => name.endsWith(`@${digest}`))

/** What the engine knows of an image; `null` when it has none of that name. */
async function inspect(engine: Engine, image: string): Promise<Result<Inspected | null>> {
  const found = await askFor(engine, { what: `look at the image ${image}`, shape: Inspected }, (docker) =>
    docker.getImage(image).inspect(),
  )
  return found.kind === 'failed' && found.problem.code === 'DOCKER_NOT_FOUND' ? ok(null) : found
}

const Version = z.object({ Os: z.string(), Arch: z.string() })

/** `linux/amd64`: what this engine runs. */
async function platformOf(engine: Engine): Promise<Result<string>> {
  const found = await askFor(engine, { what: 'say what it runs on', shape: Version }, (docker) =>
    docker.version(),
  )
  return found.kind === 'failed' ? found : ok(`${found.value.Os}/${found.value.Arch}`)
}

/** Left in the folder of the agent with the first image: until then no engine is asked what it holds. */
const MARK = 'holds-images'
const hasHeld = ({ folder }: Pick<ImageStoreParts, 'folder'>): boolean => existsSync(path.join(folder, MARK))

async function prune(
  { engine, folder }: ImageStoreParts,
  keep: readonly string[],
): Promise<Result<string[]>> {
  if (!hasHeld({ folder })) return ok([])
  const pins = await listPins(engine, folder)
  if (pins.kind === 'failed') return pins
  const kept = new Set(keep)
  const removed: string[] = []
  for (const one of pins.value) {
    if (kept.has(one.digest)) continue
    const done = await unpin(engine, folder, one)
    if (done.kind === 'failed') return done
    if (done.value === 'removed') removed.push(one.digest)
  }
  return ok(removed)
}
