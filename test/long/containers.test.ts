import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, beforeEach, describe } from 'vitest'
import { createProcessTarget } from '../../src/adapters/targets/processes/process-target.ts'
import { exitCodeOf, spawnAgent } from '../../src/agent/agent-fixture.ts'
import { ok } from '../../src/core/shared/result.ts'
import type { SetSpec } from '../../src/core/shared/set-spec.ts'
import { type TargetHarness, targetConformance } from '../../src/testkit/conformance/target.ts'
import { type DockerStand, startDocker, whyNoDocker } from '../live/kit/docker.ts'

const APP = `
process.on('SIGTERM', () => process.exit(0))
console.log('hello from ' + process.env.RELEASE)
if (process.env.COMPLAINS) for (const order of [1, 2]) console.error('ERROR order ' + order + ' is lost')
require('node:http').createServer((request, response) => {
  response.statusCode = process.env.RELEASE.endsWith('bad') ? 503 : 200
  response.end()
}).listen(process.env.PORT)
`
const CHANGES = ['CMD ["/usr/local/bin/node","/app/app.cjs"]']

const why = whyNoDocker()
let stand: DockerStand
let image: string

describe('the target with containers, reached at published ports', () => {
  beforeEach(({ skip }) => skip(why !== null, why ?? ''))
  beforeAll(async () => {
    if (why !== null) return
    stand = await startDocker()
    image = await stand.importImage('shop:1', { 'app.cjs': APP }, CHANGES)
    await stand.importImage('shop:2', { 'app.cjs': '' }, CHANGES)
  })
  afterAll(async () => {
    if (why === null) await stand.close()
  })
  targetConformance('containers', makeHarness)
})

async function makeHarness(): Promise<TargetHarness> {
  const folder = mkdtempSync(path.join(tmpdir(), 'sluice-target-'))
  const socket = path.join(folder, 'agent.sock')
  const env = { ...stand.env, SLUICE_CONTAINER_REACH: 'published' }
  const agent = spawnAgent({ folder: path.join(folder, 'agent'), socket, env })
  const target = createProcessTarget({
    socket,
    artifacts: path.join(folder, 'artifacts'),
    startAgent: async () => ok(undefined),
  })
  const reconciled = await target.reconcile()
  if (reconciled.kind === 'failed')
    throw new Error(readFileSync(path.join(folder, 'agent', 'agent.log'), 'utf8'))
  return {
    target,
    healthy: specOf,
    failing: (service, release) => {
      const bad = specOf(service, release)
      return { ...bad, health: { ...bad.health, deadlineMs: 3000 } }
    },
    complaining: (service, release) => {
      const loud = specOf(service, release)
      return { ...loud, env: { ...loud.env, COMPLAINS: 'yes' } }
    },
    artifacts: [imageOf('1'), imageOf('2')],
    tellsUse: true,
    close: async () => {
      agent.kill('SIGKILL')
      await exitCodeOf(agent)
      for (const id of await stand.containers()) await stand.api('DELETE', `/containers/${id}?force=1&v=1`)
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

const imageOf = (version: string) => ({ artifact: 'shop:{{version}}', version, kind: 'image' as const })

const specOf = (service: string, release: string): SetSpec => ({
  service,
  release,
  version: '1',
  command: [],
  folder: '',
  container: { image, port: 8080, network: null, volumes: [], secretFiles: false },
  env: { RELEASE: release },
  secrets: [],
  health: { path: '/up', intervalMs: 100, timeoutMs: 1000, successes: 1, failures: 2, deadlineMs: 60_000 },
  stopGraceMs: 2000,
})
