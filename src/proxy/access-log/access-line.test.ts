import { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import { accessLine, type Ending } from './access-line.ts'

const ENDING: Ending = {
  release: 'shop-1.1.0-3f9a',
  version: '1.1.0',
  instance: 'i-1',
  status: 200,
  ms: 12.345,
  bytesIn: 3,
  bytesOut: 42,
  end: 'answered',
  code: null,
  kind: null,
  as: 'live',
  isCopied: false,
}
const PARTS = { at: 0, service: 'shop.local', showsQuery: false, trustForwarded: false }

function requestOf(url: string, headers: Record<string, string> = {}): IncomingMessage {
  const req = new IncomingMessage(new Socket())
  Object.assign(req, { url, method: 'GET', headers })
  return req
}
const line = (req: IncomingMessage, ending: Partial<Ending> = {}, parts: Partial<typeof PARTS> = {}) =>
  JSON.parse(accessLine(req, { ...ENDING, ...ending }, { ...PARTS, ...parts }))

describe('a line of the access log', () => {
  it('says who asked for what, who answered, and how it ended', () => {
    expect(line(requestOf('/orders'))).toEqual({
      at: '1970-01-01T00:00:00.000Z',
      service: 'shop.local',
      release: 'shop-1.1.0-3f9a',
      version: '1.1.0',
      instance: 'i-1',
      method: 'GET',
      path: '/orders',
      status: 200,
      ms: 12.3,
      bytesIn: 3,
      bytesOut: 42,
      end: 'answered',
      client: 'unknown',
      as: 'live',
    })
  })

  it('has the query only where the file says so, and never a user or a password', () => {
    const req = requestOf('/a?token=hush#x')
    expect(line(req).path).toBe('/a')
    expect(line(req, {}, { showsQuery: true }).path).toBe('/a?token=hush#x')
    expect(line(requestOf('http://me:secret@shop/a?b')).path).toBe('/a')
  })

  it('holds no header but ids, which are cut', () => {
    const text = JSON.stringify(
      line(
        requestOf('/', {
          authorization: 'Bearer hush',
          cookie: 'session=hush',
          'x-request-id': `r${'x'.repeat(500)}`,
          traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
        }),
      ),
    )
    expect(text).not.toContain('hush')
    expect(text).toContain('"trace":"0af7651916cd43dd8448eb211c80319c"')
    expect(text.length).toBeLessThan(500)
    expect(line(requestOf('/', { traceparent: 'nonsense' }))).not.toHaveProperty('trace')
  })

  it('believes who the client was only behind a trusted proxy, and then the last word', () => {
    const req = requestOf('/', { 'x-forwarded-for': '6.6.6.6, 10.0.0.7' })
    expect(line(req).client).toBe('unknown')
    expect(line(req, {}, { trustForwarded: true }).client).toBe('10.0.0.7')
  })

  it('stays one line whatever stands in the path, and is cut', () => {
    const text = accessLine(requestOf(`/\n"${'é'.repeat(9000)}`), ENDING, PARTS)
    expect(text).not.toContain('\n')
    expect(JSON.parse(text).path).toHaveLength(2048)
  })

  it('leaves out bytes of what is not counted, and marks copies and what lives long', () => {
    const told = line(requestOf('/'), {
      bytesIn: null,
      bytesOut: null,
      as: 'probe',
      isCopied: true,
      kind: 'websocket',
      code: 'DRAIN_LIMIT',
    })
    expect(told).not.toHaveProperty('bytesIn')
    expect(told).toMatchObject({ as: 'probe', copied: true, kind: 'websocket', code: 'DRAIN_LIMIT' })
  })
})
