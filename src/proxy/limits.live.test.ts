import { describe, expect, it } from 'vitest'
import { call, raw, until } from './proxy-process.test.kit.ts'
import { useSharedProxy } from './shared-proxy.test.kit.ts'

describe('limits of size', () => {
  const proxy = useSharedProxy({ bodyBytes: 8_000_000 })

  it('refuses headers that are too large or too many with 431', async () => {
    const { port, origin } = await proxy.through(undefined)
    expect(await raw(port, `GET / HTTP/1.1\r\nHost: a\r\nX-A: ${'a'.repeat(20_000)}\r\n\r\n`)).toContain(
      '431',
    )
    expect(await raw(port, `GET / HTTP/1.1\r\nHost: a\r\n${'X-A: a\r\n'.repeat(101)}\r\n`)).toContain('431')
    expect(origin.seen).toHaveLength(0)
  })

  it('refuses a body over the cap with 413, announced or not', async () => {
    const { port } = await proxy.through((req, res) => {
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
})

// What ends by such a limit is quick to test with short ones, what must not end by one needs long ones: a proxy for each.
describe('limits of time', () => {
  const headers = useSharedProxy({ headersTimeoutMs: 600, keepAliveMs: 900 })
  const uploads = useSharedProxy({ uploadIdleMs: 700 })
  const answers = useSharedProxy({ responseHeadersTimeoutMs: 700 })
  const silence = useSharedProxy({ responseIdleMs: 700 })

  it('closes a client that is slow with its headers, and one that is idle', async () => {
    const { port } = await headers.through(undefined)
    expect(await raw(port, 'GET / HTTP/1.1\r\nHost: a\r\n')).toContain('408')
    expect(await raw(port, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n')).toContain('200')
  })

  it('answers 408 when an upload stands still', async () => {
    const { port } = await uploads.through((req) => void req.resume())
    expect(await raw(port, 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc')).toContain('408')
  })

  it('answers 504 when the instance does not answer, and breaks off when it goes silent', async () => {
    const mute = await answers.through(() => undefined)
    expect((await call({ port: mute.port })).status).toBe(504)
    const breaking = await silence.through((_, res) => void res.write('half'))
    await expect(call({ port: breaking.port })).rejects.toThrow()
    for (const proxy of [answers, silence])
      await until('counted as timed out', async () => {
        const counted = await proxy.total()
        return counted?.timeouts === 1 && counted.errors === 1 && counted.requests === 1
      })
  })

  it('leaves silent event streams alone', async () => {
    const { port } = await silence.through((_, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' })
      res.write('data: 1\n\n')
      setTimeout(() => res.end('data: 2\n\n'), 1_500)
    })
    expect((await call({ port })).body).toBe('data: 1\n\ndata: 2\n\n')
  })
})
