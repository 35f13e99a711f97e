import { existsSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import * as z from 'zod'
import type { Problem } from '../../../core/shared/problem.ts'
import { failed, ok, type Result } from '../../../core/shared/result.ts'
import type { Engine } from '../engine.ts'
import { askFor } from './ask-for.ts'
import type { Credentials, FindCredentials } from './credentials.ts'
import { type Asked, imageProblem, mismatch, pullFailed, wrongPlatform } from './image-problem.ts'
import { listPins, type Pin, type PinKind, pin, unpin } from './pins.ts'
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
  return {
    resolve: async ({ reference, version }) => {
      const named = referenceOf(reference, version)
      return named.kind === 'failed' ? named : await resolve(parts, named.value)
    },
    prune: (keep) => prune(parts, keep),
    pins: async () => (hasHeld(parts) ? await listPins(parts.engine, parts.folder) : ok([])),
  }
}

async function resolve(parts: ImageStoreParts, reference: Reference): Promise<Result<ResolvedImage>> {
  const asked: Asked = { image: textOf(reference), registry: reference.registry }
  const local = await inspect(parts.engine, asked.image)
  if (local.kind === 'failed') return local
  const { value: here } = local
  // By digest there is nothing to ask; without a registry in its name, what was only built here is meant.
  if (here !== null && (reference.digest !== null || isOnlyHere(reference, here)))
    return await hold(parts, { asked, reference, digest: reference.digest, found: here, kind: 'held' })
  const credentials = await parts.credentials(reference.registry)
  if (credentials.kind === 'failed') return credentials
  if (reference.digest !== null)
    return await bring(parts, { asked, reference, digest: reference.digest, credentials: credentials.value })
  const digest = await askRegistry(parts.engine, asked, credentials.value)
  if (digest.kind === 'ok')
    return await bring(parts, { asked, reference, digest: digest.value, credentials: credentials.value })
  if (here === null || !isAbsence(digest.problem) || !mayBeOnlyHere(here)) return digest
  const held = await hold(parts, { asked, reference, digest: null, found: here, kind: 'held' })
  return held.kind === 'failed' ? held : ok({ ...held.value, warnings: [onlyHere(asked)] })
}

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
  asked: Asked,
  credentials: Credentials | null,
): Promise<Result<string>> {
  const found = await askFor(
    engine,
    {
      what: `look for ${asked.image} at ${asked.registry}`,
      limitMs: REGISTRY_LIMIT_MS,
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
  const image = `${reference.name}@${digest}`
  const before = await inspect(parts.engine, image)
  if (before.kind === 'failed') return before
  if (before.value !== null)
    return await hold(parts, { asked, reference, digest, found: before.value, kind: 'held' })
  const pulled = await pull(parts.engine, { ...asked, image, credentials })
  if (pulled.kind === 'failed') return pulled
  const after = await inspect(parts.engine, image)
  if (after.kind === 'failed') return after
  if (after.value === null)
    return failed(pullFailed({ ...asked, image }, 'its answer ended, and the image is not here'))
  return await hold(parts, { asked, reference, digest, found: after.value, kind: 'pulled' })
}

type Holding = {
  asked: Asked
  reference: Reference
  /** `null`: no registry knows it, and the engine's own id is its name. */
  digest: string | null
  found: Inspected
  kind: PinKind
}

/** The last look before it is held: it must carry the digest that was asked for, and be for this machine. */
async function hold(
  { engine, folder }: ImageStoreParts,
  { asked, reference, digest, found, kind }: Holding,
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
    if (held.kind === 'failed') return held
  }
  return ok({
    digest: content,
    image: digest === null ? found.Id : `${reference.name}@${digest}`,
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
