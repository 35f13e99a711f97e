import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe } from 'vitest'
import type { FencingToken } from '../../../core/shared/token.ts'
import { formatWeight } from '../../../core/shared/weight.ts'
import { metricConformance } from '../../../testkit/conformance/metric.ts'
import type { RouterSetup } from '../../../testkit/conformance/router/kit.ts'
import { underName } from '../../../testkit/conformance/router/shared-plane.ts'
import { routerConformance } from '../../../testkit/conformance/router.ts'
import { callAndKill, createRouterUsers } from '../../../testkit/servers/router-users.test.kit.ts'
import { Names } from './names.ts'
import { ask, NginxScene, OLD, skipReason, unwrap } from './nginx.test.kit.ts'

/** Each request is a draw of its own: of 1,000 at 50%, 500 give or take 16 (one standard deviation); 6 of these are allowed. */
const TOLERANCE = 95
const MODULE = fileURLToPath(new URL('./router-caller.test.kit.ts', import.meta.url))

/** No case has a later one. */
const LAST: FencingToken = { epoch: 1_000, sequence: 1, rollout: null }

/** One nginx for all cases, each with a service of its own. */
let shared: Promise<NginxScene> | null = null
let cases = 0

async function sceneAndService(): Promise<{ scene: NginxScene; service: string }> {
  shared ??= NginxScene.open()
  const scene = await shared
  // The case before may have ended it.
  unwrap(await scene.plane.router.reconcile())
  cases += 1
  return { scene, service: `shop-${cases}` }
}

async function routerSetup(): Promise<RouterSetup> {
  const { scene, service } = await sceneAndService()
  const named = underName(service)
  const users = createRouterUsers(() => scene.port(service))
  return {
    ...users,
    router: named.router(scene.plane.router),
    counts: named.counts(scene.plane.counts),
    listen: { host: '127.0.0.1', port: 0 },
    tolerance: TOLERANCE,
    // On new connections: one that is kept may be closed by a reload just when it is used, which `load.live.test.ts` measures.
    async send(count) {
      const served: Record<string, number> = {}
      const port = await scene.port(service)
      for (let turn = 0; turn < count; turn += 1) {
        const { body } = await ask({ port })
        served[body] = (served[body] ?? 0) + 1
      }
      return served
    },
    async second() {
      return named.router(scene.secondPlane().router)
    },
    killedIn: (routes, afterMs) =>
      callAndKill(
        { module: MODULE, make: 'createNginxRouter', options: { folder: scene.folder } },
        named.routes(routes),
        afterMs,
      ),
    async edit(weights) {
      await editShares(scene, service, weights)
      await scene.reloadByHand()
    },
    reload: () => scene.reloadByHand(),
    async turnedAway() {
      const { status, headers } = await ask({ port: await scene.port(service) })
      return { status, retryAfter: headers['retry-after'] ?? null }
    },
    async cleanup() {
      await users.cleanup()
      unwrap(await scene.plane.router.finalize({ service, token: LAST }))
    },
  }
}

async function editShares(
  scene: NginxScene,
  service: string,
  weights: Record<string, number>,
): Promise<void> {
  const file = path.join(scene.folder, 'nginx.conf')
  const names = new Names(service)
  const entries = Object.entries(weights)
  const lines = entries.map(([release, permille], at) => {
    const share = at === entries.length - 1 ? '*' : formatWeight(permille)
    return `    ${share} ${names.upstream(release)};`
  })
  const text = await readFile(file, 'utf8')
  const start = text.indexOf(`${names.variable('split')} {`)
  const end = text.indexOf('}', start)
  await writeFile(
    file,
    `${text.slice(0, start)}${names.variable('split')} {\n${lines.join('\n')}\n${text.slice(end)}`,
  )
}

describe.skipIf(skipReason !== null)(`nginx${skipReason === null ? '' : `: ${skipReason}`}`, () => {
  afterAll(async () => (await shared)?.remove())

  routerConformance('nginx', routerSetup)

  metricConformance('nginx', async () => {
    const { scene, service } = await sceneAndService()
    const instance = await scene.instance(OLD, (req, res) => {
      res.statusCode = req.url === '/fail' ? 500 : 200
      res.end()
    })
    const port = await scene.set(scene.routes({ [OLD]: [1_000, [instance]] }, { service }))
    return {
      metrics: scene.plane.counts,
      service,
      async serve({ good, failing }) {
        for (let turn = 0; turn < good; turn += 1) await ask({ port })
        for (let turn = 0; turn < failing; turn += 1) await ask({ port, path: '/fail' })
      },
      cutOff: () => scene.plane.end(),
      async cleanup() {
        await instance.close()
        if ((await scene.plane.router.readState(service)).kind === 'ok')
          unwrap(await scene.plane.router.finalize({ service, token: LAST }))
      },
    }
  })
})
