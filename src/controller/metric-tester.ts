import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { createBuiltinMetricSource } from '../adapters/metrics/builtin/metric.ts'
import { readSecretFile } from '../agent/secrets.ts'
import { ok, type Result } from '../core/shared/result.ts'
import { createMetricTester, type MetricTester } from '../operations/metrics/tester.ts'
import { socketFolderOf } from './folder.ts'
import { createMetricProviders } from './metric-providers.ts'

type Place = { stateFolder: string; folder: string; env: Readonly<Record<string, string | undefined>> }

/** For the command line: asks providers as a controller of this folder would, without one, and writes nothing. */
export function openMetricTester({ stateFolder, folder, env }: Place): Result<MetricTester> {
  const secrets = readSecretFile(path.join(stateFolder, 'secrets.env'))
  if (secrets.kind === 'failed') return secrets
  const socket = path.join(socketFolderOf(stateFolder), 'proxy.sock')
  const providerOf = createMetricProviders({
    secretOf: (name) => secrets.value[name] ?? env[name] ?? null,
    folder,
    source: createBuiltinMetricSource({ socket, now: Date.now }),
  })
  const sleep = async (ms: number) => void (await delay(ms))
  return ok(createMetricTester({ providerOf, now: Date.now, sleep }))
}
