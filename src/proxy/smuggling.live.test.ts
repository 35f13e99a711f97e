import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import {
  makeOrigin,
  makeProxy,
  type Origin,
  type ProxyProcess,
  raw,
  routesOf,
  until,
} from './proxy-process.test.kit.ts'

const H = 'Host: a\r\n'
const CORPUS: Record<string, string> = {
  'Content-Length and Transfer-Encoding': `POST / HTTP/1.1\r\n${H}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
  'Transfer-Encoding and Content-Length': `POST / HTTP/1.1\r\n${H}Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n`,
  'two different Content-Lengths': `POST / HTTP/1.1\r\n${H}Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd`,
  'two equal Content-Lengths': `POST / HTTP/1.1\r\n${H}Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc`,
  'a list as Content-Length': `POST / HTTP/1.1\r\n${H}Content-Length: 3, 3\r\n\r\nabc`,
  'a negative Content-Length': `POST / HTTP/1.1\r\n${H}Content-Length: -3\r\n\r\nabc`,
  'a signed Content-Length': `POST / HTTP/1.1\r\n${H}Content-Length: +3\r\n\r\nabc`,
  'a hexadecimal Content-Length': `POST / HTTP/1.1\r\n${H}Content-Length: 0x3\r\n\r\nabc`,
  'an empty Content-Length': `POST / HTTP/1.1\r\n${H}Content-Length:\r\n\r\n`,
  'a folded header': `GET / HTTP/1.1\r\n${H}X-A: one\r\n two\r\n\r\n`,
  'a folded Transfer-Encoding': `POST / HTTP/1.1\r\n${H}Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n`,
  'a space before the colon': `GET / HTTP/1.1\r\n${H}X-A : one\r\n\r\n`,
  'a space before the colon of Transfer-Encoding': `POST / HTTP/1.1\r\n${H}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n`,
  'a bare line feed after the request line': `GET / HTTP/1.1\n${H}\r\n`,
  'a bare line feed after a header': `GET / HTTP/1.1\r\nHost: a\nX-A: b\r\n\r\n`,
  'bare line feeds at the end of the head': `GET / HTTP/1.1\r\nHost: a\n\n`,
  'a bare carriage return in a header': `GET / HTTP/1.1\r\n${H}X-A: b\rX-B: c\r\n\r\n`,
  'a chunk size that is no number': `POST / HTTP/1.1\r\n${H}Transfer-Encoding: chunked\r\n\r\nxyz\r\nabc\r\n0\r\n\r\n`,
  'a chunk size with a prefix': `POST / HTTP/1.1\r\n${H}Transfer-Encoding: chunked\r\n\r\n0x3\r\nabc\r\n0\r\n\r\n`,
  'a negative chunk size': `POST / HTTP/1.1\r\n${H}Transfer-Encoding: chunked\r\n\r\n-3\r\nabc\r\n0\r\n\r\n`,
  'a chunk size that overflows': `POST / HTTP/1.1\r\n${H}Transfer-Encoding: chunked\r\n\r\n10000000000000003\r\nabc\r\n0\r\n\r\n`,
  'a chunk longer than its size': `POST / HTTP/1.1\r\n${H}Transfer-Encoding: chunked\r\n\r\n3\r\nabcdef\r\n0\r\n\r\n`,
  'a bare line feed after a chunk size': `POST / HTTP/1.1\r\n${H}Transfer-Encoding: chunked\r\n\r\n3\nabc\r\n0\r\n\r\n`,
  'Transfer-Encoding: chunked, identity': `POST / HTTP/1.1\r\n${H}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n`,
  'Transfer-Encoding: gzip, chunked': `POST / HTTP/1.1\r\n${H}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`,
  'Transfer-Encoding: xchunked': `POST / HTTP/1.1\r\n${H}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`,
  'Transfer-Encoding: identity': `POST / HTTP/1.1\r\n${H}Transfer-Encoding: identity\r\n\r\nabc`,
  'Transfer-Encoding twice': `POST / HTTP/1.1\r\n${H}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
  'Transfer-Encoding in HTTP/1.0': `POST / HTTP/1.0\r\n${H}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
  'a null byte in a header': `GET / HTTP/1.1\r\n${H}X-A: b\0c\r\n\r\n`,
  'a null byte in the request line': `GET /\0 HTTP/1.1\r\n${H}\r\n`,
  'HTTP/0.9': 'GET /\r\n\r\n',
  'HTTP/0.9 by name': `GET / HTTP/0.9\r\n${H}\r\n`,
  'HTTP/2.0 by name': `GET / HTTP/2.0\r\n${H}\r\n`,
  'a tab in the request line': `GET\t/ HTTP/1.1\r\n${H}\r\n`,
  'whitespace inside the target': `GET /a b HTTP/1.1\r\n${H}\r\n`,
  'whitespace after the version': `GET / HTTP/1.1 \r\n${H}\r\n`,
  'an absolute target with another host': `GET http://b/ HTTP/1.1\r\n${H}\r\n`,
  'an absolute target of another scheme': `GET ftp://a/ HTTP/1.1\r\n${H}\r\n`,
  'a target that is no path': `GET admin HTTP/1.1\r\n${H}\r\n`,
  'no Host': 'GET / HTTP/1.1\r\n\r\n',
  'two Hosts': `GET / HTTP/1.1\r\n${H}Host: b\r\n\r\n`,
  'a Host with a path': 'GET / HTTP/1.1\r\nHost: a/b\r\n\r\n',
  'a Host with credentials': 'GET / HTTP/1.1\r\nHost: u@a\r\n\r\n',
  'an empty header name': `GET / HTTP/1.1\r\n${H}: b\r\n\r\n`,
  'a header line without a colon': `GET / HTTP/1.1\r\n${H}X-A\r\n\r\n`,
}

const REFUSED = Object.keys(CORPUS).length

describe('request smuggling', () => {
  let proxy: ProxyProcess
  let origin: Origin
  let port: number

  beforeAll(async () => {
    proxy = await makeProxy()
    origin = await makeOrigin()
    port = await proxy.setRoutes(routesOf([{ ports: [origin.port] }], 1))
  })
  beforeEach(() => {
    origin.seen.length = 0
  })
  afterAll(async () => {
    await proxy.remove()
    await origin.close()
  })

  it.each(Object.keys(CORPUS))('refuses %s with 400, closes, and lets nothing through', async (name) => {
    const text = await raw(port, CORPUS[name] ?? '')
    expect(text.slice(0, 12)).toBe('HTTP/1.1 400')
    expect(text.match(/HTTP\/1\.1 /g)).toHaveLength(1)
    expect(origin.seen).toHaveLength(0)
  })

  it('counts what it refused', async () => {
    const before = (await proxy.counts()).refused
    for (const bytes of Object.values(CORPUS)) await raw(port, bytes)
    await until('all are counted', async () => (await proxy.counts()).refused >= before + REFUSED)
    expect((await proxy.counts()).refused).toBe(before + REFUSED)
  })

  it('serves an absolute target of the same host as a path', async () => {
    const text = await raw(port, `GET http://a/x?y HTTP/1.1\r\n${H}Connection: close\r\n\r\n`)
    expect(text).toContain('200 OK')
    expect(origin.seen[0]?.url).toBe('/x?y')
  })
})
