import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { request } from 'node:http'
import { createServer } from 'node:net'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'
import { loadConfig } from '../../src/config/load.ts'
import { startLoad } from '../../src/testkit/load/load.ts'
import { type MixEntry, QUOTES_MIX, SHOP_MIX } from '../../src/testkit/load/mix.ts'

const examples = fileURLToPath(new URL('../../examples', import.meta.url))
const CHECKOUTS = SHOP_MIX.filter((entry) => entry.method === 'POST')
const VIEWS: MixEntry[] = [{ method: 'GET', path: '/products/mug', share: 1 }]
const hasPython = spawnSync('python3', ['--version']).status === 0

type Started = { url: string; child: ChildProcess; lines: string[]; exited: Promise<unknown[]> }
const started: Started[] = []

afterEach(async () => {
  for (const { child, exited } of started.splice(0)) {
    child.kill('SIGKILL')
    await exited
  }
})

/** Runs one release in its own folder, as an agent would, until it says on which port it listens. */
async function start(
  folder: string,
  command: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<Started> {
  const [program = '', ...rest] = command
  const child = spawn(program, rest, {
    cwd: `${examples}/${folder}`,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const service: Started = { url: '', child, lines: [], exited: once(child, 'exit') }
  started.push(service)
  createInterface(child.stdout).on('line', (line) => service.lines.push(line))
  await expect.poll(() => service.lines[0], { interval: 10 }).toContain('"started"')
  service.url = `http://127.0.0.1:${JSON.parse(service.lines[0] ?? '').port}`
  return service
}

const shop = (version: string, env?: NodeJS.ProcessEnv) =>
  start(`shop/releases/${version}`, [process.execPath, 'server.js', '--port', '0'], env)
const quotes = (version: string) =>
  start(`python-api/releases/${version}`, ['python3', '-B', 'app.py', '--port', '0'])

type Send = { mix: readonly MixEntry[]; count: number; ratePerSecond: number; versionHeader?: string }

/** What a slow machine cannot answer at this rate waits for its turn. */
const send = ({ url }: Started, { count, ratePerSecond, ...rest }: Send) => {
  const durationMs = (count / ratePerSecond) * 1000
  const patience = { timeoutMs: 60_000, maxInFlight: count }
  return startLoad({ url, ratePerSecond, durationMs, ...patience, ...rest }).finished
}

async function stopped({ child, exited }: Started): Promise<unknown> {
  child.kill('SIGTERM')
  const [code] = await exited
  return code
}

describe('the release plans', () => {
  it.each(['shop', 'python-api'])('of %s is accepted as it is', (folder) => {
    expect(loadConfig({ file: `${examples}/${folder}/sluice.yaml` })).toMatchObject({ kind: 'ok' })
  })
})

describe('the shop', () => {
  it('has releases that are what build.mjs makes', () => {
    const { status, stderr } = spawnSync(process.execPath, [`${examples}/shop/build.mjs`, '--check'], {
      encoding: 'utf8',
    })
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  })

  it.each(['1.0.0', '1.1.0'])('%s answers 2,000 requests without an error', async (version) => {
    const service = await shop(version)
    const stats = await send(service, { mix: SHOP_MIX, count: 2000, ratePerSecond: 1000 })
    expect(stats).toMatchObject({ sent: 2000, answered: 2000, errors: 0, lost: { count: 0 } })
    expect(stats.byVersion).toEqual({ [version]: 2000 })
    expect(Object.keys(stats.byStatus).sort()).toEqual(['200', '201'])
  })

  it('1.2.0 fails 5% of the checkouts, the same ones in each run, and nothing else', async () => {
    const failures: number[] = []
    for (const run of [1, 2]) {
      const service = await shop('1.2.0')
      const stats = await send(service, { mix: CHECKOUTS, count: 2000, ratePerSecond: 1000 })
      expect(stats, `run ${run}`).toMatchObject({ answered: 2000, lost: { count: 0 } })
      failures.push(stats.errorsByVersion['1.2.0'] ?? 0)
      const views = await send(service, { mix: VIEWS, count: 200, ratePerSecond: 500 })
      expect(views).toMatchObject({ answered: 200, errors: 0 })
    }
    expect(failures[0]).toBe(failures[1])
    expect(failures[0]).toBeGreaterThan(80)
    expect(failures[0]).toBeLessThan(120)
  })

  it('1.3.0 becomes slower with each request it serves, without an error', async () => {
    const service = await shop('1.3.0')
    const early = await send(service, { mix: VIEWS, count: 50, ratePerSecond: 100 })
    await send(service, { mix: VIEWS, count: 400, ratePerSecond: 400 })
    const late = await send(service, { mix: VIEWS, count: 50, ratePerSecond: 100 })
    expect(late).toMatchObject({ answered: 50, errors: 0, lost: { count: 0 } })
    // 450 entries are searched, ten at a time, with a rest of 10 ms after each ten.
    expect(late.latency.p50Ms).toBeGreaterThan(400)
    expect(late.latency.p50Ms ?? 0).toBeGreaterThan(3 * (early.latency.p50Ms ?? 0))
  })

  it('1.4.0 is never ready and says what it waits for, until a warehouse answers', async () => {
    const silent = createServer()
    silent.listen(0, '127.0.0.1')
    await once(silent, 'listening')
    const address = silent.address()
    const port = address !== null && typeof address !== 'string' ? address.port : 0
    let contacts = 0
    let greets = false
    silent.on('connection', (socket) => {
      contacts += 1
      socket.on('error', () => socket.destroy()).resume()
      if (greets) socket.end('ready\n')
    })
    const alone = await shop('1.4.0')
    const service = await shop('1.4.0', { WAREHOUSE_PORT: `${port}` })
    const up = async ({ url }: Started) => {
      const answer = await fetch(`${url}/up`)
      return `${answer.status} ${await answer.text()}`
    }
    expect(await up(service)).toBe('503 warehouse connection: pending')
    await expect.poll(() => contacts).toBeGreaterThan(1)
    expect(await up(service)).toBe('503 warehouse connection: pending')
    greets = true
    await expect.poll(() => up(service)).toBe('200 ok')
    expect(await up(alone)).toBe('503 warehouse connection: pending')
    expect(await stopped(alone)).toBe(0)
    silent.close()
  })

  it('shows its version on the page and streams events', async () => {
    const { url } = await shop('1.1.0')
    const page = await (await fetch(url)).text()
    expect(page).toContain('version <strong>1.1.0</strong>')
    expect(page).toContain('delivered tomorrow')
    const events = await fetch(`${url}/events`)
    expect(events.headers.get('content-type')).toBe('text/event-stream')
    const reader = events.body?.getReader()
    const first = await reader?.read()
    expect(new TextDecoder().decode(first?.value)).toBe('data: {"version":"1.1.0","orders":0}\n\n')
    await reader?.cancel()
  })

  it.each([
    ['not json', 400],
    ['{"product":"mug"}', 400],
    ['{"product":"yacht","quantity":1}', 422],
    [JSON.stringify({ product: 'x'.repeat(70_000), quantity: 1 }), 400],
  ])('refuses the checkout %.40s with %i', async (body, status) => {
    const { url } = await shop('1.0.0')
    expect((await fetch(`${url}/checkout`, { method: 'POST', body })).status).toBe(status)
  })

  it('on SIGTERM accepts nothing new, ends streams, finishes what runs and exits with 0', async () => {
    const service = await shop('1.0.0')
    const stream = await fetch(`${service.url}/events`)
    const body = '{"product":"mug","quantity":2}'
    const checkout = request(`${service.url}/checkout`, {
      method: 'POST',
      headers: { 'content-length': body.length, expect: '100-continue' },
    })
    checkout.flushHeaders()
    // The server has begun to work on this request once it asks for the body.
    await once(checkout, 'continue')
    checkout.write(body.slice(0, 10))
    service.child.kill('SIGTERM')
    await expect.poll(() => service.lines.at(-1), { interval: 10 }).toContain('"stopping"')
    await expect
      .poll(() =>
        fetch(`${service.url}/up`).then(
          () => 'answered',
          () => 'refused',
        ),
      )
      .toBe('refused')
    expect(await stream.text()).toContain('"orders":0')
    const answered = once(checkout, 'response')
    checkout.end(body.slice(10))
    const [answer] = await answered
    expect(answer.statusCode).toBe(201)
    answer.resume()
    expect(await service.exited).toEqual([0, null])
  })
})

describe('the Python service', () => {
  it.for(['1.0.0', '1.1.0'])('%s answers 500 requests without an error', async (version, { skip }) => {
    if (!hasPython) return skip('python3 is missing')
    const service = await quotes(version)
    const stats = await send(service, {
      mix: QUOTES_MIX,
      count: 500,
      ratePerSecond: 250,
      versionHeader: 'x-quotes-version',
    })
    expect(stats).toMatchObject({ answered: 500, errors: 0, lost: { count: 0 }, byStatus: { 200: 500 } })
    expect(stats.byVersion).toEqual({ [version]: 500 })
    expect(await stopped(service)).toBe(0)
  })

  it('1.2.0 fails about 20% of the quotes', async ({ skip }) => {
    if (!hasPython) return skip('python3 is missing')
    const service = await quotes('1.2.0')
    const mix = [{ method: 'GET', path: '/quote', share: 1 }]
    const stats = await send(service, { mix, count: 1000, ratePerSecond: 250 })
    expect(stats).toMatchObject({ answered: 1000, lost: { count: 0 } })
    // Chosen at random: 200 on average, standard deviation 13.
    expect(stats.errors).toBeGreaterThan(130)
    expect(stats.errors).toBeLessThan(270)
  })

  it('differs between versions only in its quotes', () => {
    const app = (version: string) => readFileSync(`${examples}/python-api/releases/${version}/app.py`, 'utf8')
    expect(app('1.1.0')).toBe(app('1.0.0'))
    expect(app('1.2.0')).toBe(app('1.0.0'))
  })
})

describe('the load client as a program', () => {
  it('ends on SIGINT with a JSON summary alone on stdout', async () => {
    const service = await shop('1.0.0')
    const main = fileURLToPath(new URL('../../src/testkit/load/main.ts', import.meta.url))
    const child = spawn(process.execPath, [main, '--url', service.url, '--rate', '50', '--json'])
    const closed = once(child, 'close')
    let out = ''
    let lines = ''
    child.stdout.on('data', (data) => (out += data))
    child.stderr.on('data', (data) => (lines += data))
    await expect.poll(() => lines).toMatch(/^\d+s {2}\d+\/s {2}errors 0 {2}lost 0 .*1\.0\.0 100%\n/m)
    child.kill('SIGINT')
    expect(await closed).toEqual([0, null])
    const stats = JSON.parse(out)
    expect(stats).toMatchObject({ errors: 0, lost: { count: 0 }, inFlight: 0 })
    expect(stats.answered).toBe(stats.sent)
    expect(stats.sent).toBeGreaterThan(20)
  })
})
