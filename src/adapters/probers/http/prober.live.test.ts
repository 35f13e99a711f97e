import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type ProberSetup, proberConformance } from '../../../testkit/conformance/prober.ts'
import { createHttpProber } from './prober.ts'

proberConformance('http', async () => {
  let how: Parameters<ProberSetup['behave']>[0] = 'answer'
  const arrived: Record<string, string | string[] | undefined>[] = []
  const server = createServer((req, res) => {
    arrived.push(req.headers)
    switch (how) {
      case 'answer':
        return res.end('ok')
      case 'app-error':
        return res.writeHead(500).end('sorry')
      case 'data-plane-error':
        return res.writeHead(503, { 'sluice-error': 'NO_INSTANCE' }).end()
      case 'reset':
        return req.socket.destroy()
      case 'truncate':
        res.writeHead(200, { 'content-length': '100' })
        res.write('half', () => req.socket.destroy())
        return res
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()))
  const { port } = server.address() as AddressInfo
  return {
    prober: createHttpProber(),
    request: { url: `http://127.0.0.1:${port}`, paths: ['/up'], intervalMs: 20, probeKey: 'key' },
    behave: (next) => {
      how = next
    },
    arrived: () => arrived,
    cleanup: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
})
