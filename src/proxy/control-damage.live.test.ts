import { request } from 'node:http'
import fc from 'fast-check'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { damagedContent } from '../testkit/damage.test.kit.ts'
import { makeProxy, type ProxyProcess, routesOf } from './proxy-process.test.kit.ts'

let proxy: ProxyProcess
beforeEach(async () => {
  proxy = await makeProxy()
})
afterEach(() => proxy.remove())

const SOUND = routesOf([], 1)
const body = damagedContent(SOUND)
const call = fc.constantFrom<[string, string]>(
  ['PUT', '/services/shop/routes'],
  ['PUT', '/services/%/routes'],
  ['PUT', '/services/__proto__/routes'],
  ['GET', '/services/%E0%A4%A/state'],
  ['GET', '/services/__proto__/counts'],
  ['GET', '/services/constructor/state'],
  ['GET', '//'],
  ['GET', '/..%2f..%2fetc'],
  ['DELETE', '/services/shop?epoch=-1&sequence=x'],
  ['DELETE', '/services/shop?epoch=1e400&sequence=1'],
  ['POST', '/heartbeat?%'],
  ['PATCH', '/services'],
)

it('answers whatever is sent to it in words, takes none of it for a bug, and lives on', async () => {
  await fc.assert(
    fc.asyncProperty(call, body, async ([method, path], text) => {
      const { status, answer } = await send({ method, path, text })
      expect([200, 400, 404, 409], `${method} ${path} ${text}: ${answer}`).toContain(status)
      expect(JSON.parse(answer)).toBeTypeOf('object')
    }),
    { numRuns: 120 },
  )
  expect((await proxy.control('GET', '/livez')).body).toMatchObject({ pid: proxy.pid, bugs: 0 })
})

type Sent = { method: string; path: string; text: string }

function send({ method, path, text }: Sent): Promise<{ status: number; answer: string }> {
  return new Promise((resolve, reject) => {
    const content = method === 'GET' ? '' : text
    const headers = { 'content-length': Buffer.byteLength(content) }
    const sent = request({ socketPath: proxy.socket, method, path, headers, agent: false }, (response) => {
      let answer = ''
      response.setEncoding('utf8').on('data', (chunk) => {
        answer += chunk
      })
      response.on('end', () => resolve({ status: response.statusCode ?? 0, answer }))
    })
    sent.on('error', reject)
    sent.end(content)
  })
}
