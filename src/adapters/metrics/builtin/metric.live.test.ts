import { call, makeOrigin, makeProxy, routesOf } from '../../../proxy/proxy-process.test.kit.ts'
import { metricConformance } from '../../../testkit/conformance/metric.ts'
import { createBuiltinMetricSource } from './metric.ts'

metricConformance('builtin', async () => {
  const proxy = await makeProxy()
  const origin = await makeOrigin((req, res) => {
    res.statusCode = req.url === '/failing' ? 500 : 200
    res.end()
  })
  const port = await proxy.setRoutes(routesOf([{ ports: [origin.port] }], 1))
  const send = async (count: number, path: string): Promise<void> => {
    for (let turn = 0; turn < count; turn += 1) await call({ port, path })
  }
  return {
    metrics: createBuiltinMetricSource({ socket: proxy.socket, now: () => 5 }),
    service: 'shop',
    serve: async ({ good, failing }) => {
      await send(good, '/')
      await send(failing, '/failing')
    },
    cutOff: async () => {
      proxy.kill('SIGKILL')
      await proxy.exit
    },
    cleanup: async () => {
      await proxy.remove()
      await origin.close()
    },
  }
})
