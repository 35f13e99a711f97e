import { createHash } from 'node:crypto'
import { Agent, type IncomingMessage, request } from 'node:http'
import { connect } from 'node:net'
import { describe, expect, it } from 'vitest'
import { call, raw, until } from './proxy-process.test.kit.ts'
import { useSharedProxy } from './shared-proxy.test.kit.ts'

const proxy = useSharedProxy()

describe('forwarding', () => {
  it('keeps connections alive on both sides', async () => {
    const { port, origin } = await proxy.through(undefined)
    const sockets = new Set<unknown>()
    origin.server.on('request', (req: IncomingMessage) => sockets.add(req.socket))
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    for (let turn = 0; turn < 5; turn += 1) expect((await call({ port, agent })).body).toBe('ok')
    agent.destroy()
    expect(sockets.size).toBe(1)
  })

  it('passes method, path, query, headers, status and repeated answer headers on', async () => {
    const { port, origin } = await proxy.through((_, res) => {
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
    const { port, origin } = await proxy.through((_, res) => {
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
    const { port, origin } = await proxy.through(undefined)
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
    const { port } = await proxy.through((req, res) => {
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
    const { port } = await proxy.through((_, res) => {
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
    const { port, origin } = await proxy.through((req, res) => {
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
    const { port } = await proxy.through((req, res) => {
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
    const { port } = await proxy.through((_, res) => {
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
    const { port } = await proxy.through((req, res) => {
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
    const { port, origin } = await proxy.through((req, res) => {
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
    await until('counted', async () => (await proxy.total())?.clientAborts === 1)
    expect((await proxy.total())?.errors).toBe(0)
  })
})
