import path from 'node:path'
import { createHttpClient } from '../adapters/http/undici/http.ts'
import { createHostVerifier } from '../adapters/verifiers/host/verifier.ts'
import { readSecretFile } from '../agent/secrets.ts'
import { ok, type Result } from '../core/shared/result.ts'
import { type Checker, createChecker } from '../operations/checker.ts'

type Place = { stateFolder: string; folder: string; env: Readonly<Record<string, string | undefined>> }

/** For the command line: makes checks as a controller of this folder would, without one, and writes nothing. */
export function openChecker({ stateFolder, folder, env }: Place): Result<Checker> {
  const secrets = readSecretFile(path.join(stateFolder, 'secrets.env'))
  if (secrets.kind === 'failed') return secrets
  const secretOf = (name: string) => secrets.value[name] ?? env[name] ?? null
  return ok(createChecker(createHostVerifier({ http: createHttpClient(), secretOf, cwd: folder, env })))
}
