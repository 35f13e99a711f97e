import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { createServer as createRawServer, type Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { type LoadOptions, startLoad } from './load.ts'

type Running = { url: string; close: () => Promise<void> }
const running: Running[] = []

afterEach(async () => {
  for (const server of running.splice(0)) await server.close()
})

async function serve(answer: RequestListener): Promise<string> {
  const server = createServer(answer)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return opened(server.address(), async () => {
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  })
}

/** Calls `answer` once for each whole request head (GET only), with its number on that connection. */
async function serveRaw(answer: (socket: Socket, numberOnSocket: number) => void): Promise<string> {
  const sockets = new Set<Socket>()
  const server = createRawServer((socket) => {
    sockets.add(socket)
    let text = ''
    let number = 0
    socket.setEncoding('latin1').on('error', () => socket.destroy())
    socket.on('data', (part) => {
      text += part
      for (let end = text.indexOf('\r\n\r\n'); end >= 0; end = text.indexOf('\r\n\r\n')) {
        text = text.slice(end + 4)
        number += 1
        answer(socket, number)
      }
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return opened(server.address(), async () => {
    for (const socket of sockets) socket.destroy()
    server.close()
    await once(server, 'close')
  })
}

function opened(
  address: ReturnType<ReturnType<typeof createServer>['address']>,
  close: () => Promise<void>,
): string {
  if (address === null || typeof address === 'string') throw new Error('the server has no port')
  const url = `http://127.0.0.1:${address.port}`
  running.push({ url, close })
  return url
}

const GET = [{ method: 'GET', path: '/', share: 1 }]
const POST = [{ method: 'POST', path: '/orders', body: '{"product":"mug"}', share: 1 }]
const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\nx-shop-version: 1.0.0\r\n\r\nok'

/** 100 requests in a quarter of a second, unless said otherwise. */
const runLoad = (url: string, options: Partial<LoadOptions> = {}) =>
  startLoad({ url, ratePerSecond: 400, durationMs: 250, timeoutMs: 30_000, mix: GET, ...options }).finished

describe('an open-loop load', () => {
  it('sends exactly what is due and attributes each answer to its version', async () => {
    let seen = 0
    const url = await serve((_request, response) => {
      seen += 1
      response.setHeader('x-shop-version', seen % 4 === 0 ? '1.1.0' : '1.0.0')
      response.end('ok')
    })
    const stats = await runLoad(url)
    expect(seen).toBe(100)
    expect(stats).toMatchObject({
      scheduled: 100,
      sent: 100,
      notSent: 0,
      inFlight: 0,
      answered: 100,
      errors: 0,
    })
    expect(stats.byVersion).toEqual({ '1.0.0': 75, '1.1.0': 25 })
    expect(stats.byStatus).toEqual({ 200: 100 })
    expect(stats.lost).toEqual({ count: 0, byKind: {}, samples: [] })
    expect(stats.latency.buckets.reduce((sum, count) => sum + count, 0)).toBe(100)
  })

  it('keeps sending while no answer comes', async () => {
    // Nothing is answered until 50 requests wait: a closed loop with fewer clients would never get there.
    const held: (() => void)[] = []
    const url = await serve((_request, response) => {
      held.push(() => response.end('ok'))
      if (held.length >= 50) for (const release of held.splice(0)) release()
    })
    const stats = await runLoad(url)
    expect(stats).toMatchObject({ sent: 100, answered: 100 })
  })

  it('measures latency from the time a request was due, so that a stall shows in full', async () => {
    const held: (() => void)[] = []
    const url = await serve((_request, response) => {
      held.push(() => response.end('ok'))
      if (held.length >= 100) for (const release of held.splice(0)) release()
    })
    const stats = await runLoad(url, { ratePerSecond: 200, durationMs: 500 })
    // The first request waited for the last one, due 495 ms later; the median one about half of that.
    expect(stats.latency.maxMs).toBeGreaterThanOrEqual(495)
    expect(stats.latency.p50Ms).toBeGreaterThanOrEqual(200)
  })

  it('counts what it could not send for its own limit instead of skipping it silently', async () => {
    const url = await serve(() => undefined)
    const stats = await runLoad(url, { maxInFlight: 7, timeoutMs: 2500 })
    expect(stats).toMatchObject({ scheduled: 100, sent: 7, notSent: 93, answered: 0 })
    expect(stats.lost).toMatchObject({ count: 7, byKind: { timeout: 7 } })
  })

  it('waits on stop for what is in flight, and sends nothing after it', async () => {
    let seen = 0
    const release: (() => void)[] = []
    const url = await serve((_request, response) => {
      seen += 1
      release.push(() => response.end('ok'))
    })
    const load = startLoad({ url, ratePerSecond: 200, mix: GET, timeoutMs: 30_000 })
    await expect.poll(() => seen, { interval: 5 }).toBeGreaterThan(10)
    const stopped = load.stop()
    // What was sent before the stop may still be on its way to the server.
    await expect.poll(() => seen).toBe(load.stats().sent)
    for (const answer of release) answer()
    const stats = await stopped
    expect(stats).toMatchObject({ sent: seen, answered: seen, inFlight: 0 })
    expect(await load.finished).toEqual(await load.stop())
  })

  it('sends bodies whole, also those of slow clients, whose own time is no latency', async () => {
    const bodies: string[] = []
    const url = await serve(async (request, response) => {
      let body = ''
      for await (const part of request) body += part
      bodies.push(body)
      response.end('ok')
    })
    const stats = await runLoad(url, { mix: POST, slowShare: 1, slowUploadMs: 50 })
    expect(stats).toMatchObject({ sent: 100, answered: 100 })
    expect(new Set(bodies)).toEqual(new Set(['{"product":"mug"}']))
    expect(stats.latency.p99Ms).toBeNull()
  })

  it('opens a connection for each request when asked to, and reuses them otherwise', async () => {
    const sockets = { fresh: new Set<Socket>(), kept: new Set<Socket>() }
    const url = await serve((request, response) => {
      sockets[request.url === '/fresh' ? 'fresh' : 'kept'].add(request.socket)
      response.end('ok')
    })
    await runLoad(url, { connections: 'fresh', mix: [{ method: 'GET', path: '/fresh', share: 1 }] })
    await runLoad(url, { connections: 'keep-alive' })
    expect(sockets.fresh.size).toBe(100)
    expect(sockets.kept.size).toBeLessThan(100)
  })
})

describe('a kept connection', () => {
  it('is reused whatever the server hints about its patience', async () => {
    const sockets = new Set<Socket>()
    const url = await serve((request, response) => {
      sockets.add(request.socket)
      response.setHeader('connection', 'keep-alive')
      response.setHeader('keep-alive', 'timeout=1')
      response.end('ok')
    })
    const stats = await runLoad(url)
    expect(stats).toMatchObject({ answered: 100, lost: { count: 0 } })
    expect(sockets.size).toBeLessThan(100)
  })
})

describe('what counts as lost', () => {
  it('the 5xx of a version are its errors and are not lost, an application/problem+json 503 of its own included', async () => {
    let seen = 0
    const url = await serve((_request, response) => {
      seen += 1
      const type = seen % 20 === 0 ? 'application/problem+json' : 'application/json'
      response
        .writeHead(seen % 10 === 0 ? 503 : 200, { 'content-type': type, 'x-shop-version': '1.2.0' })
        .end('{}')
    })
    const stats = await runLoad(url)
    expect(stats).toMatchObject({ answered: 100, errors: 10, byStatus: { 200: 90, 503: 10 } })
    expect(stats).toMatchObject({ errorsByVersion: { '1.2.0': 10 }, lost: { count: 0 } })
  })

  it('a 502, 503 or 504 made by the data plane is lost', async () => {
    let seen = 0
    const url = await serve((_request, response) => {
      seen += 1
      if (seen % 10 !== 0) return void response.end('ok')
      const headers = { 'content-type': 'application/problem+json', 'sluice-error': 'NO_INSTANCE' }
      response.writeHead([502, 503, 504][seen % 3] ?? 502, headers).end('{}')
    })
    const stats = await runLoad(url)
    expect(stats).toMatchObject({
      answered: 90,
      errors: 0,
      lost: { count: 10, byKind: { 'data-plane': 10 } },
    })
    expect(stats.lost.samples[0]?.message).toMatch(/^GET \/: the data plane answered 50[234], NO_INSTANCE$/)
  })

  it.each(['keep-alive', 'fresh', 'both'] as const)(
    'a reset is lost and never tried again (%s)',
    async (connections) => {
      let seen = 0
      const url = await serveRaw((socket) => {
        seen += 1
        if (seen % 5 === 0) socket.resetAndDestroy()
        else socket.write(OK)
      })
      const stats = await runLoad(url, { connections })
      expect(seen).toBe(100)
      expect(stats).toMatchObject({ sent: 100, answered: 80, lost: { count: 20, byKind: { reset: 20 } } })
    },
  )

  it('a reused connection that closes under a request is lost and never tried again', async () => {
    let seen = 0
    let closed = 0
    const url = await serveRaw((socket, numberOnSocket) => {
      seen += 1
      if (numberOnSocket === 1) return void socket.write(OK)
      closed += 1
      socket.end()
    })
    const stats = await runLoad(url)
    expect(seen).toBe(100)
    expect(closed).toBeGreaterThan(0)
    expect(stats).toMatchObject({
      answered: 100 - closed,
      lost: { count: closed, byKind: { reset: closed } },
    })
    expect(stats.lost.samples[0]?.message).toContain('on a reused connection')
  })

  it('with sendAgain, a request without a body that an idle connection lost goes out once more', async () => {
    let closed = 0
    const url = await serveRaw((socket, numberOnSocket) => {
      if (numberOnSocket === 1) return void socket.write(OK)
      closed += 1
      socket.end()
    })
    const again = await runLoad(url, { sendAgain: true })
    expect(closed).toBeGreaterThan(0)
    expect(again).toMatchObject({ sent: 100, answered: 100, sentAgain: closed, lost: { count: 0 } })
    const before = closed
    const posts = await runLoad(url, { sendAgain: true, mix: POST })
    expect(posts).toMatchObject({ sent: 100, sentAgain: 0, lost: { count: closed - before } })
  })

  it('with sendAgain, a connection that had begun to answer, or was new, is lost all the same', async () => {
    const begun = await serveRaw((socket, numberOnSocket) => {
      if (numberOnSocket === 1) socket.write(OK)
      else socket.end('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf')
    })
    expect(await runLoad(begun, { sendAgain: true })).toMatchObject({ sentAgain: 0 })
    const fresh = await serveRaw((socket) => socket.end())
    const lost = { count: 100, byKind: { reset: 100 } }
    expect(await runLoad(fresh, { sendAgain: true })).toMatchObject({ sentAgain: 0, lost })
  })

  it('a connection closed together with its answer is no loss', async () => {
    const url = await serveRaw((socket) => socket.end(OK))
    const stats = await runLoad(url, { ratePerSecond: 80 })
    expect(stats).toMatchObject({ sent: 20, answered: 20, lost: { count: 0 } })
  })

  it('a body that ends early is lost, with a length and in chunks', async () => {
    let seen = 0
    const heads = ['content-length: 100\r\n\r\nhalf', 'transfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n']
    const url = await serveRaw((socket) => {
      seen += 1
      if (seen % 4 === 0) socket.end(`HTTP/1.1 200 OK\r\n${heads[(seen / 4) % 2]}`)
      else socket.write(OK)
    })
    const stats = await runLoad(url)
    expect(stats).toMatchObject({ answered: 75, lost: { count: 25, byKind: { truncated: 25 } } })
    expect(stats.byStatus).toEqual({ 200: 75 })
  })

  it('an answer that does not come in time is lost, and so is one that stops half-way', async () => {
    let seen = 0
    const url = await serve((_request, response) => {
      seen += 1
      if (seen % 10 === 0) response.write('half')
      else if (seen % 10 !== 5) response.end('ok')
    })
    const stats = await runLoad(url, { timeoutMs: 3000 })
    expect(stats).toMatchObject({ answered: 80, lost: { count: 20, byKind: { timeout: 20 } } })
  })

  it('a refused connection is lost', async () => {
    const url = await serve(() => undefined)
    await running.pop()?.close()
    const stats = await runLoad(url)
    expect(stats).toMatchObject({ sent: 100, answered: 0, lost: { count: 100, byKind: { refused: 100 } } })
    expect(stats.lost.samples).toHaveLength(20)
  })

  it('an answer that is not HTTP is lost', async () => {
    const url = await serveRaw((socket) => socket.end('hello\r\n\r\n'))
    const stats = await runLoad(url, { ratePerSecond: 80 })
    expect(stats).toMatchObject({ lost: { count: 20, byKind: { malformed: 20 } } })
  })

  it('an answer to somebody else is lost', async () => {
    let previous: string | undefined
    const url = await serve((request, response) => {
      response.setHeader('x-load-id', previous ?? String(request.headers['x-load-id']))
      previous ??= String(request.headers['x-load-id'])
      response.end('ok')
    })
    const stats = await runLoad(url)
    expect(stats).toMatchObject({ answered: 1, lost: { count: 99, byKind: { 'mixed-up': 99 } } })
  })
})
