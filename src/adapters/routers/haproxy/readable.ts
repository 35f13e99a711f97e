import type { Problem } from '../../../core/shared/problem.ts'
import { failed, ok, type Result } from '../../../core/shared/result.ts'
import { readPair } from '../../../tls/pair.ts'
import { type KeptHere, placedIn } from './own.ts'

export const hasCertificates = (kept: KeptHere): boolean =>
  placedIn(kept).some(({ place }) => place.tls !== null)

/**
 * What HAProxy could be started with. A reload reads all certificates anew, and the one that serves would refuse it while one
 * of them does not fit: then there is none. At a start the service of that one is left out.
 */
export async function readable(kept: KeptHere, isServing: boolean): Promise<Result<KeptHere>> {
  const services = { ...kept.services }
  for (const { routes, place } of placedIn(kept)) {
    const pair = place.tls === null ? ok(null) : await readPair(place.tls)
    if (pair.kind === 'ok') continue
    if (isServing) return failed(heldUp(routes.service, pair.problem))
    delete services[routes.service]
  }
  return ok({ ...kept, services })
}

const heldUp = (service: string, { message, ...problem }: Problem): Problem => ({
  ...problem,
  message: `HAProxy must be reloaded for this change, and would find no certificate for ${service}. ${message} Nothing was changed.`,
  retryable: true,
})
