import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openChecker } from '../controller/checker.ts'
import { createTestIo } from './fixture/test-io.test.fixture.ts'
import { runCli } from './main.ts'

describe('sluice verify', () => {
  let folder = ''
  let server: Server
  let port = 0
  let isWell = true
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'sluice-verify-'))
    isWell = true
    server = createServer((_, response) => response.writeHead(isWell ? 200 : 503).end('{"db":"up"}'))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const at = server.address()
    port = typeof at === 'object' && at !== null ? at.port : 0
    write(`verify:
  - { http: /deep, expect: { json: { $.db: up } } }
  - { name: smoke, command: [sh, -c, 'test "$KEY" = k3y && test "$SLUICE_MOMENT" = asked'], secrets: [KEY] }
`)
  })
  afterEach(() => {
    server.closeAllConnections()
    server.close()
    rmSync(folder, { recursive: true })
  })

  const write = (verify: string) =>
    writeFileSync(
      join(folder, 'sluice.yaml'),
      `service: shop
run: { command: "node server.js --port {{port}}" }
listen: 127.0.0.1:${port}
health: { path: /up }
${verify}`,
    )
  const run = async (...words: string[]) => {
    const env = { KEY: 'k3y', PATH: process.env.PATH ?? '' }
    const io = {
      ...createTestIo({ cwd: folder, env }),
      checker: async (place: { stateFolder: string; folder: string }) => openChecker({ ...place, env }),
    }
    const code = await runCli(['verify', ...words], io)
    return { code, out: io.stdout(), err: io.stderr() }
  }

  it('makes the checks of the file on the service as users reach it, and says what came', async () => {
    const { code, out } = await run()
    expect(out).toContain(`shop unknown at http://127.0.0.1:${port}`)
    expect(out).toMatch(/✓ GET \/deep: 1 request was answered as expected \(\d+ms\)/)
    expect(out).toContain('✓ smoke: sh ended with code 0')
    expect(code).toBe(0)
  })

  it('ends with 1 when a check does not pass, after all of them', async () => {
    isWell = false
    const { code, out } = await run()
    expect(out).toContain('✗ GET /deep: GET /deep answered 503, expected a 2xx')
    expect(out).toContain('✓ smoke')
    expect(code).toBe(1)
  })

  it('makes one check by name, and knows the nearest of a wrong one', async () => {
    const one = await run('smoke')
    expect(one.out).not.toContain('/deep')
    const wrong = await run('smok')
    expect(wrong).toMatchObject({ code: 2, err: expect.stringContaining('smoke') })
  })

  it('writes the results as JSON', async () => {
    const { out } = await run('--json')
    expect(JSON.parse(out)).toMatchObject({
      service: 'shop',
      url: `http://127.0.0.1:${port}`,
      results: [
        { name: 'GET /deep', passed: true },
        { name: 'smoke', passed: true },
      ],
    })
  })

  it('says that there are no checks, or no candidate', async () => {
    const missing = await run('--candidate')
    expect(missing.code).not.toBe(0)
    write('')
    expect(await run()).toMatchObject({ code: 2, err: expect.stringContaining('has no checks') })
  })
})
