import { LOCAL_ENVIRONMENT, type LoadedConfig } from '../config/load.ts'
import { servingsOf } from '../core/release/servings.ts'
import type { ServiceSettings } from '../core/release/settings.ts'
import { ok, type Result } from '../core/shared/result.ts'
import { expiryWarning, pairProblem, readPair } from '../tls/pair.ts'
import { systemClock as clock } from './clock.ts'

/** What the file names for TLS, of every service in every environment: a private key is part of no release. */
export function certificateFiles(load: (environment: string) => Result<LoadedConfig, unknown>): string[] {
  const local = load(LOCAL_ENVIRONMENT)
  const environments = local.kind === 'ok' ? local.value.environments : []
  const loaded = [local, ...environments.filter((name) => name !== LOCAL_ENVIRONMENT).map(load)]
  const services = loaded.flatMap((one) => (one.kind === 'ok' ? one.value.services : []))
  const pairs = services.flatMap(servingsOf).flatMap(({ tls }) => (tls === undefined ? [] : [tls]))
  return [...new Set(pairs.flatMap(({ certificate, key }) => [certificate, key]))]
}

/** Reads the certificates of a service as its routers would: the first problem, or what should be said about them. */
export async function checkCertificate(settings: ServiceSettings): Promise<Result<string[]>> {
  const said: string[] = []
  for (const serving of servingsOf(settings)) {
    const checked = await checkOne(serving)
    if (checked.kind === 'failed') return checked
    said.push(...checked.value.filter((text) => !said.includes(text)))
  }
  return ok(said)
}

async function checkOne({ tls, hosts }: ServiceSettings): Promise<Result<string[]>> {
  if (tls === undefined) return ok([])
  const pair = await readPair(tls)
  if (pair.kind === 'failed') return pair
  const moment = { files: tls, hosts, now: clock.now() }
  const wrong = pairProblem(pair.value, moment)
  if (wrong !== null) return { kind: 'failed', problem: wrong }
  const soon = expiryWarning(pair.value, moment)
  return ok(soon === null ? [] : [`${soon.message} ${soon.remedy}`])
}
