import { request } from 'node:http'
import { connect } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import {
  call,
  connectFails,
  makeProxy,
  type ProxyProcess,
  routesOf,
  until,
  useOrigins,
} from './proxy-process.test.kit.ts'

const origin = useOrigins()
let proxy: ProxyProcess
beforeEach(async () => {
  proxy = await makeProxy({ idleGraceMs: 300 })
})
afterEach(() => proxy.remove())

describe('shutdown', () => {
  it('on SIGTERM says 1001 to WebSockets and exits 0', async () => {
    const one = await origin('one')
    new WebSocketServer({ server: one.server }).on('connection', (socket) => socket.send('welcome'))
    const port = await proxy.setRoutes(routesOf([{ ports: [one.port] }], 1))
    const socket = new WebSocket(`ws://127.0.0.1:${port}/`)
    const code = new Promise<number>((resolve) => socket.once('close', resolve))
    await new Promise((resolve) => socket.once('message', resolve))
    proxy.kill('SIGTERM')
    expect(await code).toBe(1001)
    expect(await proxy.exit).toBe(0)
  })

  it('on SIGTERM finishes what runs, answers with connection: close, and exits 0', async () => {
    // Longer than it takes to speak on a connection that was idle when the end began.
    await proxy.remove()
    proxy = await makeProxy({ idleGraceMs: 20_000 })
    const one = await origin('one')
    const drain = { requestsMs: 2_000, websocketsMs: 500 }
    const port = await proxy.setRoutes(routesOf([{ ports: [one.port] }], 1, { drain }))
    const idle = connect(port, '127.0.0.1')
    await new Promise((resolve) => idle.once('connect', resolve))
    const slow = call({ port, path: '/slow' })
    await until('request arrived', () => one.seen.length === 1)
    proxy.kill('SIGTERM')
    await until('no new connections', () => connectFails(port))
    const late = new Promise<string>((resolve) => idle.once('data', (data) => resolve(data.toString())))
    idle.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    expect((await late).toLowerCase()).toContain('connection: close')
    expect((await slow).body).toBe('one')
    expect(await proxy.exit).toBe(0)
  })

  it('survives the end of whoever reads its log', async () => {
    const one = await origin('one')
    const port = await proxy.setRoutes(routesOf([{ ports: [one.port] }], 1))
    proxy.closeLog()
    for (let sequence = 2; sequence < 5; sequence += 1)
      await proxy.setRoutes(routesOf([{ ports: [one.port] }], sequence))
    const req = request({ port, agent: false })
    req.end()
    await new Promise((resolve) => req.once('response', resolve))
    req.destroy()
  })
})
