import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { RequestMatch, SideRoutes } from '../../../core/shared/side-routes.ts'
import { call, raw, routesOf } from '../../../proxy/proxy-process.test.kit.ts'
import { type Bench, codeOf, makeBench, skipReason, unwrap } from './haproxy.test.kit.ts'

describe.skipIf(skipReason !== null)('what haproxy is told', () => {
  let bench: Bench
  let ports: { stable: number; candidate: number }
  beforeAll(async () => {
    bench = await makeBench()
    ports = {
      stable: (await bench.startInstance('stable')).port,
      candidate: (await bench.startInstance('candidate')).port,
    }
  })
  afterAll(() => bench.remove())

  let sequence = 0
  const sets = () => [
    { release: 'stable', ports: [ports.stable] },
    { release: 'candidate', weight: 0, ports: [ports.candidate] },
  ]
  const next = (more: Parameters<typeof routesOf>[2] = {}) => {
    sequence += 1
    return routesOf(sets(), sequence, more)
  }
  const setRoutes = async (more: Parameters<typeof routesOf>[2] = {}): Promise<number> => {
    unwrap(await bench.plane.router.setRoutes(next(more)))
    return await bench.port()
  }

  describe('rules', () => {
    const bodies = async (port: number, all: Record<string, string>[]): Promise<string[]> => {
      const found: string[] = []
      for (const headers of all) found.push((await call({ port, headers })).body)
      return found
    }

    it('go by header and cookie, whatever stands in their values', async () => {
      const hostile = `'"\\ $(x) #{ } %[src] ! ä\u00ff,`
      const port = await setRoutes({
        rules: [
          rule({ kind: 'exact', in: 'header', name: 'X-Team', value: 'qa' }),
          rule({ kind: 'exact', in: 'header', name: 'x-odd', value: hostile }),
          rule({ kind: 'exact', in: 'header', name: 'x-empty', value: '' }),
          rule({ kind: 'exact', in: 'cookie', name: 'tester', value: '1' }),
          rule({ kind: 'pattern', in: 'header', name: 'user-agent', pattern: '*Bot*v2*.x' }),
          rule({ kind: 'pattern', in: 'header', name: 'x-any', pattern: '*' }),
          rule({ kind: 'exact', in: 'header', name: 'x-snow', value: '\u2603' }),
        ],
      })
      const chosen: Record<string, string>[] = [
        { 'x-team': 'qa' },
        { 'x-odd': hostile },
        { 'x-empty': '' },
        { cookie: 'a=b; tester=1; c=d' },
        { 'user-agent': 'my Bot 3 v2 1.x' },
        { 'x-any': 'ff' },
      ]
      expect(await bodies(port, chosen)).toEqual(chosen.map(() => 'candidate'))
      const others: Record<string, string>[] = [
        { 'x-team': 'QA' },
        { 'x-team': 'qa ,qa' },
        { 'x-odd': hostile.slice(1) },
        { 'x-empty': ' a' },
        { cookie: 'tester=11' },
        { cookie: 'xtester=1' },
        { 'user-agent': 'my Bot 3 v2 1.xy' },
        { 'user-agent': 'Botv.x' },
        { 'x-snow': 'x' },
        {},
      ]
      expect(await bodies(port, others)).toEqual(others.map(() => 'stable'))
    })

    it('match no value that is said twice, and none that is longer than 1,024 bytes in a pattern', async () => {
      const port = await setRoutes({
        rules: [
          rule({ kind: 'exact', in: 'header', name: 'x-team', value: 'qa' }),
          rule({ kind: 'pattern', in: 'header', name: 'x-long', pattern: 'a*' }),
        ],
      })
      const twice = await raw(
        port,
        'GET / HTTP/1.1\r\nHost: a\r\nX-Team: qa\r\nX-Team: qa\r\nConnection: close\r\n\r\n',
      )
      expect(twice).toContain('stable')
      expect(await bodies(port, [{ 'x-long': 'a'.repeat(1024) }, { 'x-long': 'a'.repeat(1025) }])).toEqual([
        'candidate',
        'stable',
      ])
    })

    it('take no time however long the search is', async () => {
      const port = await setRoutes({
        rules: [rule({ kind: 'pattern', in: 'header', name: 'x-slow', pattern: `${'*a'.repeat(12)}*b` })],
      })
      const began = performance.now()
      expect(await bodies(port, [{ 'x-slow': 'a'.repeat(1024) }])).toEqual(['stable'])
      expect(performance.now() - began).toBeLessThan(1_000)
    })

    it('do not hold for probes, and what they chose is counted apart', async () => {
      const port = await setRoutes({
        rules: [rule({ kind: 'exact', in: 'header', name: 'x-team', value: 'qa' })],
      })
      const probe = await call({ port, headers: { 'x-team': 'qa', 'sluice-probe': 'probe-secret' } })
      expect([probe.body, probe.headers['sluice-release']]).toEqual(['stable', 'stable'])
      await bodies(port, [{ 'x-team': 'qa' }])
      await expect
        .poll(async () => {
          const answer = await bench.plane.counts.query('shop')
          if (answer.kind !== 'samples') return null
          return answer.counts.apart?.find(({ by }) => by === 'rule')?.total.requests
        })
        .toBeGreaterThan(0)
      const answer = await bench.plane.counts.query('shop')
      const counted = answer.kind === 'samples' ? answer.counts.releases : []
      expect(counted.filter(({ release }) => release === 'candidate')).toEqual([])
    })
  })

  it('shows one release at a preview address, and says which', async () => {
    await setRoutes({ preview: { listen: { host: '127.0.0.1', port: 0 }, release: 'candidate' } })
    const preview = (await bench.state()).preview?.listening?.port ?? 0
    const shown = await call({ port: preview })
    expect([shown.body, shown.headers['sluice-release']]).toEqual(['candidate', 'candidate'])
    await setRoutes({ preview: { listen: { host: '127.0.0.1', port: 0 }, release: null } })
    const { status, headers } = await call({ port: preview })
    expect([status, headers['sluice-error']]).toEqual([503, 'NO_INSTANCE'])
  })

  it('says truthfully where a request came from, and keeps what is ours to say', async () => {
    const seen = await bench.startInstance('echo', (req, res) => res.end(JSON.stringify(req.headers)))
    sequence += 1
    unwrap(await bench.plane.router.setRoutes(routesOf([{ release: 'echo', ports: [seen.port] }], sequence)))
    const headers = { 'x-forwarded-for': '6.6.6.6', forwarded: 'for=6.6.6.6', 'sluice-variant': 'b' }
    const told = JSON.parse((await call({ port: await bench.port(), headers })).body)
    expect(told['x-forwarded-for']).toBe('127.0.0.1')
    expect([told['sluice-variant'], told.forwarded]).toEqual([undefined, 'for=127.0.0.1;proto=http'])
  })

  it('reloads for a new service only, and never for weights, versions or instances', async () => {
    await setRoutes()
    const worker = await bench.workerPid()
    const extra = await bench.startInstance('third')
    for (const weight of [100, 500, 900]) {
      sequence += 1
      const three = [
        { release: 'stable', weight: 1000 - weight, ports: [ports.stable, extra.port] },
        { release: `new-${weight}`, weight, ports: [ports.candidate] },
      ]
      unwrap(await bench.plane.router.setRoutes(routesOf(three, sequence)))
    }
    expect(await bench.workerPid()).toBe(worker)
    const other = { service: 'api', listen: { host: '127.0.0.1', port: 0 } }
    unwrap(await bench.plane.router.setRoutes(routesOf([{ release: 'a', ports: [extra.port] }], 1, other)))
    expect(await bench.workerPid()).not.toBe(worker)
    expect(await bench.send(2, await bench.port('api'))).toEqual({ third: 2 })
    expect((await bench.state()).sets.map(({ weightPermille }) => weightPermille)).toEqual([100, 900])
  })

  it('knows a cookie after the first release with one, and is not reloaded for the next', async () => {
    const cookie = 'a!%&*+.^_|~-b'
    const divided = (more: Partial<SideRoutes>) => {
      sequence += 1
      const two = [
        { release: 'stable', weight: 900, ports: [ports.stable] },
        { release: 'candidate', weight: 100, ports: [ports.candidate] },
      ]
      return bench.plane.router.setRoutes(routesOf(two, sequence, more))
    }
    const sticky = { kind: 'assign', cookie, forMs: 60_000, salt: '1', release: 'candidate' } as const
    unwrap(await divided({ sticky }))
    const { headers } = await call({ port: await bench.port() })
    expect(headers['set-cookie']?.[0]).toMatch(/^a!%&\*\+\.\^_\|~-b=[0-9a-f-]{36}; /)
    const worker = await bench.workerPid()
    for (const next of [{ kind: 'expire', cookie, forMs: 60_000 } as const, null, { ...sticky, salt: '2' }])
      unwrap(await divided({ sticky: next }))
    expect(await bench.workerPid()).toBe(worker)
  })

  it('takes names of any kind', async () => {
    const service = `constructor "${'ü'.repeat(300)}'\n bind *:1`
    const release = `r #\\ ${'x'.repeat(300)}\u2603`
    const set = { release, version: '1', weightPermille: 1000 }
    const instance = { id: '../"\n', host: '127.0.0.1', port: ports.stable, state: 'active' as const }
    const routes = { ...routesOf([], 1), service, stable: release, sets: [{ ...set, instances: [instance] }] }
    unwrap(await bench.plane.router.setRoutes(routes))
    const read = await bench.state(service)
    expect([read.sets, read.token]).toEqual([routes.sets, routes.token])
    expect(await bench.send(1, await bench.port(service))).toEqual({ stable: 1 })
    unwrap(await bench.plane.router.finalize({ service, token: { epoch: 1, sequence: 2, rollout: null } }))
  })

  it('refuses what haproxy cannot do, with the reason, and changes nothing', async () => {
    await setRoutes()
    const { token, sets: inForce } = await bench.state()
    const name = 'x{a}'
    const sticky = (cookie: string, variant: string) => ({
      ...{ kind: 'assign' as const, cookie, forMs: 1, salt: 's', release: 'candidate' },
      test: {
        by: null,
        variants: [{ name: variant, sharePermille: 100 }],
        goal: { method: 'GET', path: '/' },
      },
    })
    const refusals = [
      next({ sticky: sticky(name, 'a') }),
      next({ sticky: sticky('a', 'a\nb') }),
      next({ onControllerLoss: { kind: 'revert', afterMs: 1 } }),
      next({ rules: [rule({ kind: 'exact', in: 'header', name, value: '' })] }),
      next({ listen: { host: '127.0.0.1\n bind *', port: 1 } }),
    ]
    for (const routes of refusals)
      expect(codeOf(await bench.plane.router.setRoutes(routes))).toBe('ROUTER_CANNOT')
    expect(await bench.state()).toMatchObject({ token, sets: inForce })
  })

  it('tells its version, what it can, and what it lacks', async () => {
    const abilities = await bench.plane.abilities()
    expect(abilities.version).toMatch(/^2\.[6-9]|^3\./)
    expect([abilities.problem, abilities.features.rules]).toEqual([null, { can: true }])
    const { sticky, variants, mirror, revert } = abilities.features
    expect([sticky, variants, mirror, revert].map(({ can }) => can)).toEqual([true, true, false, false])
    const missing = bench.newPlane({ binary: join(bench.folder, 'nothing') })
    expect((await missing.abilities()).problem?.code).toBe('ROUTER_NOT_INSTALLED')
  })

  it('leaves the configuration of the system as it is (INV6)', () => {
    expect(systemFiles()).toEqual(before)
  })
})

const rule = (match: RequestMatch) => ({ match, release: 'candidate' })

/** Taken when this file is read: before any test. */
const before = systemFiles()

function systemFiles(): Record<string, string> {
  const folder = '/etc/haproxy'
  if (!existsSync(folder)) return {}
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile())
  return Object.fromEntries(
    files.map((path) => [path, createHash('sha256').update(readFileSync(path)).digest('hex')]),
  )
}
