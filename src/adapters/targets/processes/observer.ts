import * as z from 'zod'
import { ReleaseErrors } from '../../../core/shared/error-signature/report.ts'
import { AgentObservation, type Observation } from '../../../core/shared/observation.ts'
import { ok, type Result } from '../../../core/shared/result.ts'
import { type AgentClient, servicePath } from './agent-client.ts'

/** In a storm of errors their counts change with every look, and nobody needs them that often. */
const ASK_ERRORS_EVERY_MS = 800

type KnownErrors = { version: string; askedAt: number; errors: ReleaseErrors[] }

/** Observes instances; what they wrote is asked for only when it has changed, and what is known of it is answered again. */
export function createObserver(client: AgentClient): (service: string) => Promise<Result<Observation>> {
  const known = new Map<string, KnownErrors>()

  async function errorsOf(service: string, version: string): Promise<ReleaseErrors[]> {
    const last = known.get(service)
    const now = performance.now()
    if (last !== undefined && (last.version === version || now - last.askedAt < ASK_ERRORS_EVERY_MS))
      return last.errors
    const asked = await client.call({
      method: 'GET',
      path: `${servicePath(service)}/errors`,
      answer: z.array(ReleaseErrors),
    })
    // Evidence may come a look later: it is no reason to know nothing about the instances.
    const errors = asked.kind === 'ok' ? asked.value : (last?.errors ?? [])
    known.set(service, {
      version: asked.kind === 'ok' ? version : (last?.version ?? ''),
      askedAt: now,
      errors,
    })
    return errors
  }

  return async (service) => {
    const observed = await client.call({
      method: 'GET',
      path: servicePath(service),
      answer: AgentObservation,
    })
    if (observed.kind === 'failed') return observed
    const { errorsVersion, ...observation } = observed.value
    if (errorsVersion === '') return ok(observation)
    return ok({ ...observation, errors: await errorsOf(service, errorsVersion) })
  }
}
