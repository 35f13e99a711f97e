import { createServer as createTcpServer } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { call, deadPort, portOf, raw, routesOf, until } from './proxy-process.test.kit.ts'
import { useSharedProxy } from './shared-proxy.test.kit.ts'

const proxy = useSharedProxy()
const closing: (() => void)[] = []
afterEach(() => {
  for (const close of closing.splice(0)) close()
})

describe('failing instances', () => {
  it('sends any method to another instance when one cannot be reached, and counts the retries', async () => {
    const good = await proxy.origin((req, res) => void req.pipe(res))
    const port = await proxy.setRoutes(routesOf([{ ports: [await deadPort(), good.port] }], 1))
    for (let turn = 0; turn < 6; turn += 1) {
      const answer = await call({ port, method: 'POST', body: 'abc' })
      expect([answer.status, answer.body]).toEqual([200, 'abc'])
    }
    await until('all are counted', async () => (await proxy.total())?.requests === 6)
    const counted = await proxy.total()
    expect(counted?.retries).toBeGreaterThan(0)
    expect(counted?.connectFailures).toBe(counted?.retries)
    expect(counted?.errors).toBe(0)
  })

  it('answers 502 with a problem when none is left', async () => {
    const port = await proxy.setRoutes(routesOf([{ ports: [await deadPort()] }], 1))
    const answer = await call({ port })
    expect(answer.status).toBe(502)
    expect(JSON.parse(answer.body).code).toBe('INSTANCE_UNREACHABLE')
    await until('counted', async () => (await proxy.total())?.requests === 1)
    const counted = await proxy.total()
    expect([counted?.errors, counted?.connectFailures, counted?.status['5xx']]).toEqual([1, 1, 1])
    expect((await proxy.counts()).unroutable).toBe(1)
  })

  /** Answers the first request of each connection and resets it at the second. */
  async function stale(): Promise<number> {
    const server = createTcpServer((socket) => {
      let requests = 0
      socket.on('error', () => undefined)
      socket.on('data', () => {
        requests += 1
        if (requests > 1) socket.resetAndDestroy()
        else socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok')
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    closing.push(() => server.close())
    return await proxy.setRoutes(routesOf([{ ports: [portOf(server)] }], 1))
  }

  it('repeats a GET that met a stale connection', async () => {
    const port = await stale()
    for (let turn = 0; turn < 6; turn += 1) expect((await call({ port })).status).toBe(200)
    expect((await proxy.total())?.retries).toBeGreaterThan(0)
    expect((await proxy.total())?.errors).toBe(0)
  })

  it('does not repeat a POST', async () => {
    const port = await stale()
    const statuses = []
    for (let turn = 0; turn < 2; turn += 1)
      statuses.push((await call({ port, method: 'POST', body: 'x' })).status)
    expect(statuses).toEqual([200, 502])
    await until('counted', async () => (await proxy.total())?.resets === 1)
  })

  it('counts an answer that breaks in the middle as reset and error', async () => {
    const { port } = await proxy.through((_, res) => {
      res.writeHead(200, { 'content-length': '100' })
      res.write('half')
      setTimeout(() => res.destroy(), 50)
    })
    await expect(call({ port })).rejects.toThrow()
    await until('counted', async () => (await proxy.total())?.requests === 1)
    const counted = await proxy.total()
    expect([counted?.resets, counted?.errors, counted?.status['2xx']]).toEqual([1, 1, 0])
  })

  it('answers an early refusal of an upload although the upload is not over', async () => {
    const { port } = await proxy.through((_, res) => {
      res.writeHead(413, { connection: 'close' })
      res.end('too much')
    })
    const text = await raw(
      port,
      `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n${'a'.repeat(10_000)}`,
      (got) => got.includes('too much'),
    )
    expect(text).toContain('413')
  })
})
