import { existsSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { createStack, type Stack } from './kit/stack.ts'
import { startTraffic } from './kit/traffic.ts'

/** Serves while it holds the lock, of which there is one; a second one beside it ends and says so. */
const HOLDER = `
import { mkdirSync, rmdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
const { LOCK, PORT, SLUICE_VERSION } = process.env
try { mkdirSync(LOCK) } catch {
  writeFileSync(LOCK + '.clash', SLUICE_VERSION)
  console.error('somebody else holds the lock')
  process.exit(1)
}
const server = createServer((request, response) => {
  if (request.url === '/up' && SLUICE_VERSION === '2.0.0') return response.writeHead(503).end()
  setTimeout(() => response.setHeader('x-version', SLUICE_VERSION).end(SLUICE_VERSION), request.url === '/slow' ? 500 : 0)
})
server.listen(Number(PORT), '127.0.0.1')
process.on('SIGTERM', () => { server.close(); server.closeAllConnections(); rmdirSync(LOCK); process.exit(0) })
`

async function startHolders(): Promise<{ stack: Stack; lock: string }> {
  const stack = await createStack({ versions: {} })
  const lock = path.join(stack.folder, 'lock')
  stack.writeFile({
    run: {
      artifact: './releases/{{version}}',
      command: 'node holder.mjs',
      env: { LOCK: lock },
      stopGrace: '5s',
    },
    health: { path: '/up', interval: '50ms', timeout: '5s', successes: 2, deadline: '8s' },
    drain: { requests: '5s', websockets: '1s' },
    strategy: { recreate: { retryAfter: '2s', watch: '500ms' } },
  })
  for (const version of ['1.0.0', '1.1.0', '2.0.0']) {
    stack.writeVersion(version, {})
    writeFileSync(path.join(stack.folder, 'releases', version, 'holder.mjs'), HOLDER)
  }
  await stack.startController()
  const first = await stack.deploy('1.0.0')
  if (first.outcome !== 'promoted') throw new Error(`the first release: ${first.reason.message}`)
  return { stack, lock }
}

describe('recreate through the real parts', () => {
  it('two versions never meet: requests are turned away meanwhile and counted, and a bad version gives its place back', async () => {
    const { stack, lock } = await startHolders()
    const traffic = await startTraffic(stack, { ratePerSecond: 40, webSockets: 0 })

    const promoted = await stack.deploy('1.1.0')
    expect([promoted.outcome, existsSync(`${lock}.clash`)]).toEqual(['promoted', false])
    expect((await stack.get('/')).body).toBe('1.1.0')
    expect(promoted.loss.closed).toBeGreaterThan(0)
    expect(promoted.loss.requestsLost).toBe(promoted.loss.closed)

    const back = await stack.deploy('2.0.0')
    expect([back.outcome, existsSync(`${lock}.clash`)]).toEqual(['rolled_back', false])
    expect((await stack.get('/')).body).toBe('1.1.0')
    expect((await stack.router()).closed).toBeUndefined()

    // What users saw is what was counted: turned away with a reason, and nothing cut.
    const { requests } = await traffic.stop()
    const kinds = new Set(requests.lost.samples.map(({ message }) => message.includes('SERVICE_CLOSED')))
    expect([Object.keys(requests.lost.byKind), [...kinds]]).toEqual([['closed'], [true]])
  })
})
