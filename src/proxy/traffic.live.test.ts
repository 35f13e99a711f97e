import { createHash } from 'node:crypto'
import { Agent, type IncomingMessage, request } from 'node:http'
import { connect, createServer as createTcpServer } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import {
  call,
  deadPort,
  makeOrigin,
  makeProxy,
  type Origin,
  type ProxyProcess,
  portOf,
  raw,
  routesOf,
  until,
} from './proxy-process.test.kit.ts'

const LIMITS = {
  headersTimeoutMs: 600,
  responseHeadersTimeoutMs: 700,
  responseIdleMs: 800,
  uploadIdleMs: 700,
  expectWaitMs: 300,
  bodyBytes: 8_000_000,
  keepAliveMs: 900,
}

let proxy: ProxyProcess
const origins: Origin[] = []

async function origin(...args: Parameters<typeof makeOrigin>): Promise<Origin> {
  const made = await makeOrigin(...args)
  origins.push(made)
  return made
}

/** The proxy's port, with everything going to one instance that behaves like this. */
async function through(serve: Parameters<typeof makeOrigin>[0]): Promise<{ port: number; origin: Origin }> {
  const made = await origin(serve)
  return { port: await proxy.setRoutes(routesOf([{ ports: [made.port] }], 1)), origin: made }
}

const total = async () => (await proxy.counts()).releases[0]?.total

beforeEach(async () => {
  proxy = await makeProxy(LIMITS)
})
afterEach(async () => {
  await proxy.remove()
  for (const made of origins.splice(0)) await made.close()
})

describe('forwarding', () => {
  it('keeps connections alive on both sides', async () => {
    const { port, origin } = await through(undefined)
    const sockets = new Set<unknown>()
    origin.server.on('request', (req: IncomingMessage) => sockets.add(req.socket))
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    for (let turn = 0; turn < 5; turn += 1) expect((await call({ port, agent })).body).toBe('ok')
    agent.destroy()
    expect(sockets.size).toBe(1)
  })

  it('passes method, path, query, headers, status and repeated answer headers on', async () => {
    const { port, origin } = await through((_, res) => {
      res.writeHead(
        418,
        'Short and stout',
        [
          ['Set-Cookie', 'a=1'],
          ['Set-Cookie', 'b=2'],
          ['X-Own', 'yes'],
        ].flat(),
      )
      res.end('tea')
    })
    const answer = await call({
      port,
      method: 'DELETE',
      path: '/a/b?c=d',
      headers: { host: 'shop.example', 'x-mine': '1' },
    })
    expect(answer.status).toBe(418)
    expect(answer.headers['set-cookie']).toEqual(['a=1', 'b=2'])
    expect(answer.body).toBe('tea')
    const [seen] = origin.seen
    expect([seen?.method, seen?.url, seen?.headers.host, seen?.headers['x-mine']]).toEqual([
      'DELETE',
      '/a/b?c=d',
      'shop.example',
      '1',
    ])
  })

  it('drops hop-by-hop headers and those that Connection names, both ways', async () => {
    const { port, origin } = await through((_, res) => {
      res.writeHead(200, {
        connection: 'x-secret, keep-alive',
        'x-secret': '1',
        'keep-alive': 'timeout=5',
        'x-kept': '1',
      })
      res.end()
    })
    const text = await raw(
      port,
      'GET / HTTP/1.1\r\nHost: a\r\nConnection: close, x-gone\r\nX-Gone: 1\r\nTE: trailers\r\nProxy-Authorization: x\r\nX-Kept: 1\r\n\r\n',
    )
    expect(text).toContain('x-kept')
    expect(text).not.toContain('x-secret')
    const names = Object.keys(origin.seen[0]?.headers ?? {})
    expect(names).toContain('x-kept')
    for (const gone of ['x-gone', 'te', 'proxy-authorization']) expect(names).not.toContain(gone)
  })

  it('says where the request came from and does not trust what the client claims', async () => {
    const { port, origin } = await through(undefined)
    await call({
      port,
      headers: {
        host: 'shop.example:8080',
        'x-forwarded-for': '6.6.6.6',
        forwarded: 'for=6.6.6.6',
        'x-forwarded-proto': 'https',
      },
    })
    const headers = origin.seen[0]?.headers
    expect(headers?.['x-forwarded-for']).toBe('127.0.0.1')
    expect(headers?.['x-forwarded-proto']).toBe('http')
    expect(headers?.['x-forwarded-host']).toBe('shop.example:8080')
    expect(headers?.forwarded).toBe('for=127.0.0.1;proto=http;host="shop.example:8080"')
  })

  it('answers HEAD, 204 and 304 without a body and keeps the connection usable', async () => {
    const { port } = await through((req, res) => {
      const status = req.url === '/none' ? 204 : req.url === '/same' ? 304 : 200
      res.writeHead(status, status === 200 ? { 'content-length': '5' } : {})
      res.end(req.method === 'HEAD' || status !== 200 ? undefined : 'hello')
    })
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const head = await call({ port, method: 'HEAD', agent })
    expect([head.status, head.headers['content-length'], head.body]).toEqual([200, '5', ''])
    expect((await call({ port, path: '/none', agent })).status).toBe(204)
    expect((await call({ port, path: '/same', agent })).status).toBe(304)
    expect((await call({ port, agent })).body).toBe('hello')
    agent.destroy()
  })

  it('forwards 103 and ignores other interim answers', async () => {
    const { port } = await through((_, res) => {
      res.writeProcessing()
      res.writeEarlyHints({ link: '</a.css>; rel=preload' })
      res.end('done')
    })
    const text = await raw(port, 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
    expect(text).toContain('103 Early Hints')
    expect(text).toContain('</a.css>; rel=preload')
    expect(text).not.toContain('102')
    expect(text).toContain('done')
  })

  it('passes trailers of answers and of requests on', async () => {
    const { port, origin } = await through((req, res) => {
      req.resume()
      req.on('end', () => {
        res.writeHead(200, { trailer: 'x-sum' })
        res.write('body')
        res.addTrailers({ 'x-sum': req.trailers['x-up'] ?? 'none' })
        res.end()
      })
    })
    expect((await call({ port })).trailers).toEqual({ 'x-sum': 'none' })
    const text = await raw(
      port,
      'POST / HTTP/1.1\r\nHost: a\r\nTrailer: x-up\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n3\r\nabc\r\n0\r\nx-up: 42\r\n\r\n',
    )
    expect(text).toContain('x-sum: 42')
    expect(origin.seen[1]?.trailers).toEqual({ 'x-up': '42' })
  })

  it('streams large uploads, with and without a length, byte for byte', async () => {
    const { port } = await through((req, res) => {
      const hash = createHash('sha256')
      req.on('data', (chunk) => hash.update(chunk))
      req.on('end', () => res.end(hash.digest('hex')))
    })
    const body = Buffer.alloc(5_000_000, 'sluice')
    const expected = createHash('sha256').update(body).digest('hex')
    expect((await call({ port, method: 'POST', body })).body).toBe(expected)
    const chunked = await new Promise<string>((resolve, reject) => {
      const req = request({ port, method: 'POST', agent: false }, (res) => {
        res.setEncoding('utf8').on('data', resolve)
      })
      req.on('error', reject)
      for (let at = 0; at < body.length; at += 100_000) req.write(body.subarray(at, at + 100_000))
      req.end()
    })
    expect(chunked).toBe(expected)
  })

  it('does not read from the instance faster than the client reads', async () => {
    let sent = 0
    const { port } = await through((_, res) => {
      const more = () => {
        do sent += 64 * 1024
        while (sent < 200_000_000 && res.write(Buffer.alloc(64 * 1024)))
      }
      res.on('drain', more)
      more()
    })
    const socket = connect(port, '127.0.0.1', () => socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n'))
    socket.pause()
    let before = -1
    await until('the instance stands still', async () => {
      const still = sent > 0 && sent === before
      before = sent
      await new Promise((resolve) => setTimeout(resolve, 100))
      return still
    })
    expect(sent).toBeLessThan(50_000_000)
    socket.destroy()
  })

  it('passes the first bytes of an answer on at once', async () => {
    const { port } = await through((req, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' })
      if (req.url === '/head') res.flushHeaders()
      else res.write('data: 1\n\n')
    })
    const request = (path: string) => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`
    expect(await raw(port, request('/head'), (text) => text.includes('\r\n\r\n'))).toContain('200 OK')
    expect(await raw(port, request('/'), (text) => text.includes('data: 1'))).toContain('data: 1')
  })

  it('tells the instance at once when the client leaves', async () => {
    let gone = false
    const { port, origin } = await through((req, res) => {
      res.on('close', () => {
        gone = true
      })
      req.resume()
    })
    const req = request({ port, agent: false })
    req.on('error', () => undefined)
    req.end()
    await until('request arrived', () => origin.seen.length === 1)
    req.destroy()
    await until('instance notices', () => gone)
    await until('counted', async () => (await total())?.clientAborts === 1)
    expect((await total())?.errors).toBe(0)
  })
})

describe('Expect: 100-continue', () => {
  const ask = (port: number, body = 'abc') =>
    new Promise<{ invited: boolean; status: number; text: string }>((resolve, reject) => {
      let invited = false
      const req = request({
        port,
        method: 'POST',
        agent: false,
        headers: { expect: '100-continue', 'content-length': body.length },
      })
      req.on('continue', () => {
        invited = true
        req.end(body)
      })
      req.on('response', (res) => {
        let text = ''
        res.setEncoding('utf8').on('data', (chunk) => {
          text += chunk
        })
        res.on('end', () => {
          resolve({ invited, status: res.statusCode ?? 0, text })
          req.destroy()
        })
      })
      req.on('error', reject)
      req.flushHeaders()
    })

  it('passes a refusal on without a byte of the body', async () => {
    const { port, origin } = await through(undefined)
    let bytes = -1
    origin.server.on('checkContinue', (req, res) => {
      bytes = 0
      req.on('data', (chunk: Buffer) => {
        bytes += chunk.length
      })
      res.writeHead(417, { connection: 'close' })
      res.end('no')
    })
    expect(await ask(port)).toEqual({ invited: false, status: 417, text: 'no' })
    expect(bytes).toBe(0)
    expect((await total())?.status['4xx']).toBe(1)
  })

  it('invites the body when the instance does', async () => {
    const { port, origin } = await through(undefined)
    origin.server.on('checkContinue', (req, res) => {
      res.writeContinue()
      req.pipe(res)
    })
    expect(await ask(port)).toEqual({ invited: true, status: 200, text: 'abc' })
  })

  it('invites the body itself when the instance ignores Expect', async () => {
    const server = createTcpServer((socket) => {
      let text = ''
      socket.on('error', () => undefined)
      socket.on('data', (chunk) => {
        text += chunk
        if (text.endsWith('abc')) socket.end('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok')
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const port = await proxy.setRoutes(routesOf([{ ports: [portOf(server)] }], 1))
    expect(await ask(port)).toEqual({ invited: true, status: 200, text: 'ok' })
    server.close()
  })

  it('goes to another instance when the first cannot be reached', async () => {
    const good = await origin((req, res) => void req.pipe(res))
    const port = await proxy.setRoutes(routesOf([{ ports: [await deadPort(), good.port] }], 1))
    for (let turn = 0; turn < 4; turn += 1) expect((await ask(port)).status).toBe(200)
  })
})

describe('WebSocket', () => {
  async function echo(): Promise<{ port: number; server: WebSocketServer }> {
    const made = await origin()
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
    const counted = await total()
    expect([counted?.requests, counted?.status['1xx'], counted?.errors, counted?.clientAborts]).toEqual([
      1, 1, 0, 0,
    ])
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
    const made = await origin()
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
    const { port, origin } = await through(undefined)
    const text = await raw(
      port,
      'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n\r\n',
    )
    expect(text).not.toContain('101')
    for (const seen of origin.seen)
      expect(seen.headers.upgrade ?? seen.headers['http2-settings']).toBeUndefined()
  })
})

describe('limits', () => {
  it('refuses headers that are too large or too many with 431', async () => {
    const { port, origin } = await through(undefined)
    expect(await raw(port, `GET / HTTP/1.1\r\nHost: a\r\nX-A: ${'a'.repeat(20_000)}\r\n\r\n`)).toContain(
      '431',
    )
    expect(await raw(port, `GET / HTTP/1.1\r\nHost: a\r\n${'X-A: a\r\n'.repeat(101)}\r\n`)).toContain('431')
    expect(origin.seen).toHaveLength(0)
  })

  it('refuses a body over the cap with 413, announced or not', async () => {
    const { port } = await through((req, res) => {
      req.resume()
      req.on('end', () => res.end())
    })
    expect(await raw(port, 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 8000001\r\n\r\n')).toContain('413')
    const chunk = `100000\r\n${'a'.repeat(0x100000)}\r\n`
    expect(
      await raw(port, `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${chunk.repeat(9)}`),
    ).toContain('413')
    await until('both counted', async () => (await proxy.counts()).refused === 2)
  })

  it('closes a client that is slow with its headers, and one that is idle', async () => {
    const { port } = await through(undefined)
    expect(await raw(port, 'GET / HTTP/1.1\r\nHost: a\r\n')).toContain('408')
    expect(await raw(port, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n')).toContain('200')
  })

  it('answers 408 when an upload stands still', async () => {
    const { port } = await through((req) => void req.resume())
    expect(await raw(port, 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc')).toContain('408')
  })

  it('answers 504 when the instance does not answer, and breaks off when it goes silent', async () => {
    const { port } = await through((req, res) => {
      if (req.url === '/half') res.write('half')
    })
    expect((await call({ port })).status).toBe(504)
    await expect(call({ port, path: '/half' })).rejects.toThrow()
    const counted = await total()
    expect([counted?.timeouts, counted?.errors, counted?.requests]).toEqual([2, 2, 2])
  })

  it('leaves silent event streams alone', async () => {
    const { port } = await through((_, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' })
      res.write('data: 1\n\n')
      setTimeout(() => res.end('data: 2\n\n'), 1_500)
    })
    expect((await call({ port })).body).toBe('data: 1\n\ndata: 2\n\n')
  })
})

describe('failing instances', () => {
  it('sends any method to another instance when one cannot be reached, and counts the retries', async () => {
    const good = await origin((req, res) => void req.pipe(res))
    const port = await proxy.setRoutes(routesOf([{ ports: [await deadPort(), good.port] }], 1))
    for (let turn = 0; turn < 6; turn += 1) {
      const answer = await call({ port, method: 'POST', body: 'abc' })
      expect([answer.status, answer.body]).toEqual([200, 'abc'])
    }
    const counted = await total()
    expect(counted?.retries).toBeGreaterThan(0)
    expect(counted?.connectFailures).toBe(counted?.retries)
    expect([counted?.errors, counted?.requests]).toEqual([0, 6])
  })

  it('answers 502 with a problem when none is left', async () => {
    const port = await proxy.setRoutes(routesOf([{ ports: [await deadPort()] }], 1))
    const answer = await call({ port })
    expect(answer.status).toBe(502)
    expect(JSON.parse(answer.body).code).toBe('INSTANCE_UNREACHABLE')
    const counted = await total()
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
    origins.push({
      server: (await makeOrigin()).server,
      port: 0,
      seen: [],
      close: async () => void server.close(),
    })
    return await proxy.setRoutes(routesOf([{ ports: [portOf(server)] }], 1))
  }

  it('repeats a GET that met a stale connection', async () => {
    const port = await stale()
    for (let turn = 0; turn < 6; turn += 1) expect((await call({ port })).status).toBe(200)
    expect((await total())?.retries).toBeGreaterThan(0)
    expect((await total())?.errors).toBe(0)
  })

  it('does not repeat a POST', async () => {
    const port = await stale()
    const statuses = []
    for (let turn = 0; turn < 2; turn += 1)
      statuses.push((await call({ port, method: 'POST', body: 'x' })).status)
    expect(statuses).toEqual([200, 502])
    expect((await total())?.resets).toBe(1)
  })

  it('counts an answer that breaks in the middle as reset and error', async () => {
    const { port } = await through((_, res) => {
      res.writeHead(200, { 'content-length': '100' })
      res.write('half')
      setTimeout(() => res.destroy(), 50)
    })
    await expect(call({ port })).rejects.toThrow()
    const counted = await total()
    expect([counted?.requests, counted?.resets, counted?.errors, counted?.status['2xx']]).toEqual([
      1, 1, 1, 0,
    ])
  })

  it('answers an early refusal of an upload although the upload is not over', async () => {
    const { port } = await through((_, res) => {
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
