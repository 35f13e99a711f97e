import { Release } from '../core/release/release.ts'
import { servingOf } from '../core/release/servings.ts'
import { environmentOf } from '../core/release/settings.ts'
import type { Command } from '../core/rollout/command.ts'
import type { Change, Effect, Verification } from '../core/rollout/due.ts'
import type { ServiceState } from '../core/rollout/state.ts'
import { entryOf } from '../core/shared/entry.ts'
import { type Problem, problem } from '../core/shared/problem.ts'
import { requestPolicyOf } from '../core/shared/request-policy.ts'
import type { Result } from '../core/shared/result.ts'
import { failed, ok } from '../core/shared/result.ts'
import type { HealthProbe, SetSpec } from '../core/shared/set-spec.ts'
import type { RouterOf } from '../ports/router.ts'
import type { Store } from '../ports/store.ts'
import type { AdoptRequest, Target } from '../ports/target.ts'
import type { Verifier } from '../ports/verifier.ts'
import { notHeld } from './not-held.ts'
import type { EffectAnswer, EffectRunner } from './perform.ts'

export const RELEASE_DOCUMENT = 'release'

export type EffectParts = {
  store: Store
  target: Target
  routerOf: RouterOf
  verifier: Verifier
  probeKey: string
  /** Epoch under which this controller may act on a stream right now, or `null` when it may not. */
  epochOf(stream: string): number | null
  /** Plans and orders the way back that the light watch asks for. */
  goBack(stream: string): Promise<Result<void>>
}

/** How each kind of effect is done through the ports. */
export function createEffectRunner(parts: EffectParts): EffectRunner {
  return async (stream, state, effect, signal) => {
    if (effect.kind === 'verify') return verify(parts, stream, { effect, signal })
    const done = await change(parts, stream, { state, effect })
    return done.kind === 'ok' ? ok(null) : done
  }
}

type Changing = { state: ServiceState; effect: Change }

async function change(
  parts: EffectParts,
  stream: string,
  { state, effect }: Changing,
): Promise<Result<void>> {
  const { target, routerOf } = parts
  switch (effect.kind) {
    case 'start-set':
      return startSet(parts, stream, effect)
    case 'adopt-set':
      return adoptSet(parts, stream, effect)
    case 'stop-set':
      return target.stop({ token: effect.token, service: stream, release: effect.release })
    case 'release-set':
      return target.release({ token: effect.token, service: stream, release: effect.release })
    case 'set-routes':
      return setRoutes(parts, stream, { state, effect })
    case 'finalize':
      return routerOf(effect.router).router.finalize({ token: effect.token, service: stream })
    case 'go-back':
      return parts.goBack(stream)
  }
}

async function startSet(
  parts: EffectParts,
  stream: string,
  effect: Extract<Effect, { kind: 'start-set' }>,
): Promise<Result<void>> {
  const release = await releaseFor(parts, stream, effect)
  if (release.kind === 'failed') return release
  return parts.target.start({
    token: effect.token,
    spec: specOf(stream, release.value),
    replicas: effect.replicas,
    without: [...effect.without],
  })
}

async function adoptSet(
  parts: EffectParts,
  stream: string,
  effect: Extract<Effect, { kind: 'adopt-set' }>,
): Promise<Result<void>> {
  const release = await releaseFor(parts, stream, effect)
  if (release.kind === 'failed') return release
  const { pid, port, container } = effect.adoption
  const adopted = await parts.target.adopt({
    token: effect.token,
    service: stream,
    release: effect.release,
    version: effect.version,
    port,
    ...(pid === null ? {} : { pid }),
    ...(container === undefined ? {} : { container }),
    ...askedBy(release.value.settings.health),
  })
  return adopted.kind === 'ok' ? ok(undefined) : adopted
}

const askedBy = (health: HealthProbe): Pick<AdoptRequest, 'healthPath' | 'check'> =>
  'path' in health ? { healthPath: health.path } : { healthPath: '/', check: health.check }

async function setRoutes(
  parts: EffectParts,
  stream: string,
  { state, effect }: { state: ServiceState; effect: Extract<Effect, { kind: 'set-routes' }> },
): Promise<Result<void>> {
  const inForce = state.rollout?.phase.kind === 'running' ? state.rollout.settings : state.settings
  const isFirst = effect.router === state.traffic.router
  const settings = inForce && (servingOf(inForce, effect.router) ?? (isFirst ? inForce : null))
  if (settings === null || settings.listen === null) return ok(undefined)
  return parts.routerOf(effect.router).router.setRoutes({
    service: stream,
    token: effect.token,
    listen: settings.listen,
    ...entryOf(settings),
    stable: effect.stable,
    sets: effect.routes,
    ...effect.side,
    drain: settings.drain,
    slowStartMs: settings.slowStartMs,
    ...requestPolicyOf(settings),
    onControllerLoss: settings.onControllerLoss,
    probeKey: parts.probeKey,
  })
}

/** To read it takes time, and a process that was stopped meanwhile may have lost the stream: then nothing is done any more. */
async function releaseFor(
  { store, epochOf }: EffectParts,
  stream: string,
  { release, token }: Extract<Effect, { kind: 'start-set' | 'adopt-set' }>,
): Promise<Result<Release>> {
  const loaded = await loadRelease(store, release)
  return epochOf(stream) === token.epoch ? loaded : failed(notHeld(stream))
}

/** The immutable record of a release; effects and rollbacks run from it, never from the file of today. */
export async function loadRelease(store: Pick<Store, 'getDocument'>, id: string): Promise<Result<Release>> {
  const document = await store.getDocument(RELEASE_DOCUMENT, id)
  if (document.kind === 'failed') return document
  const parsed = Release.safeParse(document.value?.body)
  if (parsed.success) return ok(parsed.data)
  return failed(
    problem('RELEASE_NOT_FOUND', {
      message: `The record of release ${id} is missing or unreadable.`,
      cause: document.value === null ? undefined : parsed.error.message,
      remedy: 'See "sluice release list" for the releases that can run.',
    }),
  )
}

function specOf(stream: string, { id, version, settings, artifact }: Release): SetSpec {
  const { run, health } = settings
  return {
    service: stream,
    release: id,
    version,
    command: run.command,
    folder: artifact.folder,
    ...containerOf(run.container, artifact.image),
    env: run.env,
    secrets: run.secrets,
    health,
    stopGraceMs: run.stopGraceMs,
    ...(run.quiesce === undefined ? {} : { quiesce: run.quiesce }),
  }
}

const containerOf = (
  container: Release['settings']['run']['container'],
  image: string | undefined,
): Pick<SetSpec, 'container'> =>
  container === undefined || image === undefined ? {} : { container: { ...container, image } }

/** The checks may last: they are given up when nobody wants their report any more. */
async function verify(
  { verifier, epochOf, probeKey }: EffectParts,
  stream: string,
  { effect, signal }: { effect: Verification; signal: AbortSignal },
): Promise<Result<EffectAnswer>> {
  if (epochOf(stream) !== effect.token.epoch) return failed(notHeld(stream))
  const { checks, url, way, moment, version, release } = effect
  const [service = stream] = stream.split('.')
  const environment = environmentOf(stream)
  // An instance that is asked itself has no business with the key.
  const mark = moment === 'after' ? probeKey : null
  const request = { checks, url, way, moment, service, environment, version, release, probeKey: mark }
  const report = await verifier.verify(request, signal)
  // Checks that were given up say nothing about the release.
  return signal.aborted ? failed(givenUp(version)) : ok(report)
}

const givenUp = (version: string): Problem =>
  problem('CHECKS_GIVEN_UP', {
    message: `The checks of ${version} were given up before their end, because nobody waited for them any more.`,
    remedy: 'Nothing: they are made again when the rollout goes on.',
    retryable: true,
  })

/** The answer of an effect comes back as a command like any other. */
export function answerCommand(effect: Effect, result: Result<EffectAnswer>): Command {
  const { key, token } = effect
  if (result.kind === 'failed') return { kind: 'effect-failed', effect: key, problem: result.problem }
  if (effect.kind !== 'verify' || result.value === null)
    return { kind: 'effect-succeeded', effect: key, epoch: token.epoch }
  const { rollout, index } = effect
  return { kind: 'verified', underEpoch: token.epoch, rollout, index, report: result.value }
}
