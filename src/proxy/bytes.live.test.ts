import { type IncomingMessage, request, type ServerResponse } from 'node:http'
import { describe, expect, it } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { call, makeOrigin, makeProxy, raw, routesOf, until } from './proxy-process.test.kit.ts'
import { useSharedProxy } from './shared-proxy.test.kit.ts'

const proxy = useSharedProxy()
const KIB = 1024

/** Takes the whole body and answers with as many bytes as the path says. */
const answering = (req: IncomingMessage, res: ServerResponse): void => {
  req.resume().on('end', () => res.end(Buffer.alloc(Number(req.url?.slice(1)), 'x')))
}
const bytes = async () => {
  const total = await proxy.total()
  return { in: total?.bytesIn, out: total?.bytesOut }
}
const untilBytes = (wanted: { in: number; out: number }) =>
  until(JSON.stringify(wanted), async () => JSON.stringify(await bytes()) === JSON.stringify(wanted))

describe('bytes of bodies', () => {
  it('are counted both ways, by release and route class, without heads; probes are not', async () => {
    const { port } = await proxy.through(answering)
    await call({ port, method: 'POST', path: '/100', body: 'x'.repeat(300 * KIB) })
    await call({ port, path: `/${2000 * KIB}` })
    await call({ port, path: '/0' })
    await call({ port, method: 'HEAD', path: '/77' })
    await call({ port, path: '/50', headers: { 'sluice-probe': 'probe-secret' } })
    await untilBytes({ in: 300 * KIB, out: 100 + 2000 * KIB })
    const [release] = (await proxy.counts()).releases
    expect(release?.routes['POST /*']).toMatchObject({ bytesIn: 300 * KIB, bytesOut: 100 })
    expect(release?.routes['GET /*']).toMatchObject({ bytesIn: 0, bytesOut: 2000 * KIB })
  })

  it('are those of the content, however it is framed', async () => {
    const { port } = await proxy.through(answering)
    const head = 'POST /9 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n'
    await raw(port, `${head}\r\n3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n`)
    await untilBytes({ in: 7, out: 9 })
    await raw(port, `${head}Trailer: x-sum\r\n\r\n5\r\nabcde\r\n0\r\nx-sum: 1\r\n\r\n`)
    await untilBytes({ in: 12, out: 18 })
    const invited = request({ port, method: 'POST', path: '/5', headers: { expect: '100-continue' } })
    invited.on('continue', () => invited.end('abcd'))
    await new Promise((resolve) => invited.on('response', (res) => res.resume().on('end', resolve)))
    await untilBytes({ in: 16, out: 23 })
  })

  it('are counted while they flow, not when they end', async () => {
    const { port } = await proxy.through((_, res) => void res.write('x'.repeat(KIB)))
    const asked = request({ port }).end()
    await untilBytes({ in: 0, out: KIB })
    expect((await proxy.total())?.requests).toBe(0)
    asked.on('error', () => null).destroy()
  })

  it('are counted on WebSockets, frames and all', async () => {
    const made = await proxy.origin()
    const server = new WebSocketServer({ server: made.server })
    server.on('connection', (socket) => socket.on('message', () => socket.send('x'.repeat(3000))))
    const port = await proxy.setRoutes(routesOf([{ ports: [made.port] }], 1))
    const socket = new WebSocket(`ws://127.0.0.1:${port}/`)
    await new Promise((resolve) => socket.once('open', resolve))
    socket.send('x'.repeat(70_000))
    await new Promise((resolve) => socket.once('message', resolve))
    const FRAME_HEADS = { in: 14, out: 4 }
    await untilBytes({ in: 70_000 + FRAME_HEADS.in, out: 3000 + FRAME_HEADS.out })
    socket.terminate()
  })

  it('stand among the numbers for Prometheus', async () => {
    const own = await makeProxy()
    const origin = await makeOrigin(answering)
    try {
      const port = await own.setRoutes(routesOf([{ ports: [origin.port] }], 1))
      await call({ port, method: 'POST', path: '/40', body: 'abc' })
      const { body } = await call({ socketPath: own.socket, path: '/metrics' })
      expect(body).toContain('sluice_proxy_request_bytes_total{stream="shop",version="v1"} 3\n')
      expect(body).toContain('sluice_proxy_response_bytes_total{stream="shop",version="v1"} 40\n')
    } finally {
      await own.remove()
      await origin.close()
    }
  })
})
