import type { Release } from '../core/release/release.ts'
import { Release as ReleaseSchema } from '../core/release/release.ts'
import { servingsOf } from '../core/release/servings.ts'
import type { ServiceSettings } from '../core/release/settings.ts'
import { streamOf } from '../core/release/settings.ts'
import { versionProblem } from '../core/release/version-problem.ts'
import { entryOf } from '../core/shared/entry.ts'
import type { Result } from '../core/shared/result.ts'
import { failed, ok } from '../core/shared/result.ts'
import { RELEASE_DOCUMENT } from '../engine/effects.ts'
import type { OperationContext } from './context.ts'

export type PrepareContext = Pick<
  OperationContext,
  'preparing' | 'target' | 'store' | 'clock' | 'digest' | 'certificateFiles'
>
export type PrepareInput = { settings: ServiceSettings; version: string; actor: string }
export type PreparedRelease = { release: Release; warnings: string[] }

/** Makes the immutable record of a version as it would run now. The same content gives the same release. */
export async function prepareRelease(
  context: PrepareContext,
  input: PrepareInput,
): Promise<Result<PreparedRelease>> {
  const checked = versionProblem(input.version)
  return checked === null ? context.preparing(() => prepare(context, input)) : failed(checked)
}

async function prepare(
  context: PrepareContext,
  { settings, version, actor }: PrepareInput,
): Promise<Result<PreparedRelease>> {
  const { run } = settings
  const kind = run.container === undefined ? 'files' : 'image'
  // Its own are known also where another environment of the file cannot be read.
  const own = servingsOf(settings).flatMap(({ tls }) => (tls === undefined ? [] : [tls.certificate, tls.key]))
  const without = [...new Set([...own, ...context.certificateFiles()])]
  const artifact = await context.target.resolve({ artifact: run.artifact, version, kind, without })
  if (artifact.kind === 'failed') return artifact
  const secretVersions = await context.target.secretVersions(run.secrets)
  if (secretVersions.kind === 'failed') return secretVersions
  const { digest, folder, bytes, files, image, warnings } = artifact.value
  const release = await record(context, {
    id: releaseId(context, { settings, version, digest, secretVersions: secretVersions.value }),
    stream: streamOf(settings),
    version,
    artifact: { digest, folder, bytes, files, ...(image === undefined ? {} : { image }) },
    settings,
    secretVersions: secretVersions.value,
    createdAt: context.clock.now(),
    createdBy: actor,
    adopted: false,
  })
  // A record that was made before has how it was watched then; this time it is watched as the file says now.
  return release.kind === 'failed' ? release : ok({ release: { ...release.value, settings }, warnings })
}

/** A release is written once; asking again finds the same record. */
export async function record(
  context: Pick<OperationContext, 'store'>,
  release: Release,
): Promise<Result<Release>> {
  const known = await context.store.getDocument(RELEASE_DOCUMENT, release.id)
  if (known.kind === 'failed') return known
  const parsed = ReleaseSchema.safeParse(known.value?.body)
  if (parsed.success) return ok(parsed.data)
  const put = await context.store.putDocument({
    kind: RELEASE_DOCUMENT,
    id: release.id,
    stream: release.stream,
    at: release.createdAt,
    body: release,
  })
  return put.kind === 'failed' ? put : ok(release)
}

/** What runs decides what a release is; how it is watched on the way does not. */
function releaseId(
  context: PrepareContext,
  {
    settings,
    version,
    digest,
    secretVersions,
  }: { settings: ServiceSettings; version: string; digest: string; secretVersions: Record<string, string> },
): string {
  const { service, environment, run, listen, health, drain, router, also } = settings
  // Resources are what use is measured against, so they belong to how it is watched; those of a container stand in it, too.
  const { artifact: _path, resources: _base, ...runs } = run
  // Releases from before there was a choice keep their names.
  // Hosts, paths and TLS are like the address: a change of them is a rollout, so that it comes into force and can be taken back.
  const routed = {
    ...(router === 'builtin' ? {} : { router }),
    ...(also === undefined ? {} : { also }),
    ...entryOf(settings),
  }
  return `${version}-${context.digest({ service, environment, run: runs, listen, health, drain, ...routed, version, digest, secretVersions }).slice(0, 10)}`
}
