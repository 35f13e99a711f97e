import type { ServiceSettings } from '../core/release/settings.ts'
import { ok, type Result } from '../core/shared/result.ts'
import { expiryWarning, pairProblem, readPair } from '../proxy/tls/pair.ts'
import { systemClock as clock } from './clock.ts'

/** Reads the certificate of a service as the data plane would: the problem, or what should be said about it. */
export async function checkCertificate({ tls, hosts }: ServiceSettings): Promise<Result<string[]>> {
  if (tls === undefined) return ok([])
  const pair = await readPair(tls)
  if (pair.kind === 'failed') return pair
  const moment = { files: tls, hosts, now: clock.now() }
  const wrong = pairProblem(pair.value, moment)
  if (wrong !== null) return { kind: 'failed', problem: wrong }
  const soon = expiryWarning(pair.value, moment)
  return ok(soon === null ? [] : [`${soon.message} ${soon.remedy}`])
}
