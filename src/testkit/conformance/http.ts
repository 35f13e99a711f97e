import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { HttpClient, HttpRequest } from '../../ports/http.ts'

/** The promises of the port: bounded in time and size, and never further than the address that was named. */
export function httpConformance(name: string, makeClient: (now: () => number) => HttpClient): void {
  describe(`${name} as an HTTP client`, () => {
    const client = makeClient(() => Date.parse('2026-01-02T03:04:05Z'))
    let respond: (request: IncomingMessage, response: ServerResponse) => void = () => undefined
    let asked: { url: string; method: string; headers: IncomingMessage['headers']; body: string }[] = []
    let address = ''
    const server = createServer((request, response) => {
      let body = ''
      request.on('data', (chunk) => {
        body += chunk
      })
      request.on('end', () => {
        asked.push({ url: request.url ?? '', method: request.method ?? '', headers: request.headers, body })
        respond(request, response)
      })
    })
    beforeAll(async () => {
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      const at = server.address()
      address = typeof at === 'object' && at !== null ? `http://127.0.0.1:${at.port}` : ''
    })
    afterAll(() => {
      server.closeAllConnections()
      server.close()
    })
    beforeEach(() => {
      asked = []
    })
    const request = (of: Partial<HttpRequest> = {}): HttpRequest => ({
      method: 'GET',
      url: `${address}/numbers`,
      headers: {},
      body: null,
      timeoutMs: 10_000,
      maxBytes: 1000,
      ...of,
    })

    it('gives status and body of any answer', async () => {
      respond = (_, response) => response.writeHead(404).end('not here')
      expect(await client.exchange(request())).toEqual({
        kind: 'answered',
        status: 404,
        body: 'not here',
        retryAfterMs: null,
      })
    })

    it('sends method, headers and body as they are', async () => {
      respond = (_, response) => response.end('{}')
      await client.exchange(request({ method: 'POST', headers: { authorization: 'Bearer x' }, body: 'a=1' }))
      expect(asked).toMatchObject([{ method: 'POST', body: 'a=1', headers: { authorization: 'Bearer x' } }])
    })

    it('does not follow a redirect', async () => {
      respond = (_, response) => response.writeHead(302, { location: `${address}/elsewhere` }).end()
      expect(await client.exchange(request())).toMatchObject({ kind: 'answered', status: 302 })
      expect(asked.map(({ url }) => url)).toEqual(['/numbers'])
    })

    it.each([
      ['17', 17_000],
      ['Fri, 02 Jan 2026 03:04:35 GMT', 30_000],
      ['Fri, 02 Jan 2026 03:04:00 GMT', 0],
      ['99999999999', 86_400_000],
      ['soon', null],
    ])('reads Retry-After: %s', async (value, retryAfterMs) => {
      respond = (_, response) => response.writeHead(429, { 'retry-after': value }).end()
      expect(await client.exchange(request())).toMatchObject({ kind: 'answered', status: 429, retryAfterMs })
    })

    it('takes an answer of exactly the limit, and stops reading an endless one', async () => {
      respond = (_, response) => response.end('x'.repeat(1000))
      expect(await client.exchange(request())).toMatchObject({ kind: 'answered' })
      const closed = new Promise<void>((resolve) => {
        respond = (_, response) => {
          const timer = setInterval(() => response.write('x'.repeat(500)), 1)
          response.on('close', () => {
            clearInterval(timer)
            resolve()
          })
        }
      })
      expect(await client.exchange(request())).toEqual({ kind: 'too-large' })
      await closed
    })

    it.each([
      ['that never begins', (_: IncomingMessage) => undefined],
      ['that never ends', (_: IncomingMessage, response: ServerResponse) => void response.write('{')],
    ])('gives up an answer %s', async (_title, silent) => {
      respond = silent
      expect(await client.exchange(request({ timeoutMs: 100 }))).toEqual({ kind: 'timed-out' })
      expect(await client.exchange(request(), AbortSignal.timeout(50))).toEqual({ kind: 'cancelled' })
    })

    it('says why an address cannot be reached', async () => {
      const nobody = await client.exchange(request({ url: 'http://127.0.0.1:1/' }))
      expect(nobody).toMatchObject({
        kind: 'unreachable',
        reason: expect.stringMatching(/refused|bad port/i),
      })
      respond = (incoming) => incoming.socket.destroy()
      expect(await client.exchange(request())).toMatchObject({ kind: 'unreachable' })
    })
  })
}
