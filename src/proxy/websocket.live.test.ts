import { describe, expect, it } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { raw, routesOf, until } from './proxy-process.test.kit.ts'
import { useSharedProxy } from './shared-proxy.test.kit.ts'

const proxy = useSharedProxy()

describe('WebSocket', () => {
  async function echo(): Promise<{ port: number; server: WebSocketServer }> {
    const made = await proxy.origin()
    const server = new WebSocketServer({ server: made.server })
    server.on('connection', (socket, req) => {
      socket.send(`hello ${req.url}`)
      socket.on('message', (data) => socket.send(data.toString()))
    })
    return { port: await proxy.setRoutes(routesOf([{ ports: [made.port] }], 1)), server }
  }

  it('carries messages both ways, early bytes included, and counts once', async () => {
    const { port } = await echo()
    const socket = new WebSocket(`ws://127.0.0.1:${port}/live?x`)
    const heard: string[] = []
    socket.on('message', (data) => heard.push(data.toString()))
    await new Promise((resolve) => socket.once('open', resolve))
    socket.send('x'.repeat(200_000))
    await until('echo', () => heard.length === 2)
    expect(heard[0]).toBe('hello /live?x')
    expect(heard[1]).toHaveLength(200_000)
    expect((await proxy.state()).instances[0]?.websockets).toBe(1)
    socket.close()
    await until('gone', async () => (await proxy.state()).instances[0]?.websockets === 0)
    await until('counted', async () => (await proxy.total())?.status['1xx'] === 1)
    const counted = await proxy.total()
    expect([counted?.requests, counted?.errors, counted?.clientAborts]).toEqual([1, 0, 0])
    expect(counted?.latencyBuckets.every((count) => count === 0)).toBe(true)
  })

  it('closes the client when the instance goes and the instance when the client goes', async () => {
    const { port, server } = await echo()
    const first = new WebSocket(`ws://127.0.0.1:${port}/`)
    await new Promise((resolve) => first.once('open', resolve))
    const closed = new Promise((resolve) => first.once('close', resolve))
    for (const socket of server.clients) socket.terminate()
    await closed
    const second = new WebSocket(`ws://127.0.0.1:${port}/`)
    await new Promise((resolve) => second.once('open', resolve))
    second.terminate()
    await until('instance sees it', () => server.clients.size === 0)
  })

  it('passes a refused upgrade on', async () => {
    const made = await proxy.origin()
    made.server.on('upgrade', (_, socket) =>
      socket.end('HTTP/1.1 403 Forbidden\r\ncontent-length: 2\r\n\r\nno'),
    )
    const port = await proxy.setRoutes(routesOf([{ ports: [made.port] }], 1))
    const text = await raw(
      port,
      'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: a\r\nSec-WebSocket-Version: 13\r\n\r\n',
    )
    expect(text).toContain('403 Forbidden')
    expect(text.endsWith('no')).toBe(true)
  })

  it('never lets an h2c upgrade through', async () => {
    const { port, origin } = await proxy.through(undefined)
    const text = await raw(
      port,
      'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n\r\n',
    )
    expect(text).not.toContain('101')
    for (const seen of origin.seen)
      expect(seen.headers.upgrade ?? seen.headers['http2-settings']).toBeUndefined()
  })
})
