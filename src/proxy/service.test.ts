import { describe, expect, it } from 'vitest'
import type { RouteInstance, RouteSet, ServiceRoutes } from '../core/shared/routes.ts'
import { NO_SIDE_ROUTES } from '../core/shared/side-routes.ts'
import { Limits } from './limits.ts'
import type { LiveSet } from './live-set.ts'
import { Service } from './service.ts'

const HOUR_MS = 3_600_000
const PICKS = 200

const entry = (port: number): RouteInstance => ({ id: `${port}`, host: '127.0.0.1', port, state: 'active' })
const setOf = (release: string, weightPermille: number, ports: number[]): RouteSet => ({
  release,
  version: release,
  weightPermille,
  instances: ports.map(entry),
})
const routes = (sets: RouteSet[], slowStartMs = HOUR_MS): ServiceRoutes => ({
  service: 'shop',
  token: { epoch: 1, sequence: 1, rollout: null },
  listen: { host: '127.0.0.1', port: 0 },
  stable: 'v1',
  sets,
  drain: { requestsMs: 0, websocketsMs: 0 },
  slowStartMs,
  onControllerLoss: { kind: 'hold' },
  probeKey: 'key',
  ...NO_SIDE_ROUTES,
})
const newService = () => new Service('shop', { limits: Limits.parse({}), trustForwarded: false })

/** How often each port is chosen in a number of requests to one release. */
function chosen(service: Service, release = 'v1'): Record<number, number> {
  const ports: Record<number, number> = {}
  for (let turn = 0; turn < PICKS; ) {
    const set = service.pick(false)
    if (set?.release !== release) continue
    const port = set.choose(null)?.port ?? 0
    ports[port] = (ports[port] ?? 0) + 1
    turn += 1
  }
  return ports
}

/** With 1% of a full share, more than a tenth of the requests would be a wonder (less than 1 in 10^12). */
const isTrickle = (count: number | undefined) => (count ?? 0) < PICKS / 10

describe('slow start of a service', () => {
  it('gives the instances of a first start equal shares', () => {
    const service = newService()
    service.apply(routes([setOf('v1', 1_000, [1, 2])]), null)
    expect(chosen(service)).toEqual({ 1: 100, 2: 100 })
  })

  it('gives an instance that joins a trickle first, and keeps it so over further changes', () => {
    const service = newService()
    service.apply(routes([setOf('v1', 1_000, [1, 2])]), null)
    service.apply(routes([setOf('v1', 1_000, [1, 2, 3])]), null)
    expect(isTrickle(chosen(service)[3])).toBe(true)
    service.apply(routes([setOf('v1', 950, [1, 2, 3]), setOf('v2', 50, [4, 5])]), null)
    expect(isTrickle(chosen(service)[3])).toBe(true)
    expect(chosen(service, 'v2')).toEqual({ 4: 100, 5: 100 })
  })

  it('after a restart takes the instances it knows for warm, and starts later ones slowly', () => {
    const restarted = newService()
    restarted.apply(routes([setOf('v1', 1_000, [1, 3])]), null)
    expect(chosen(restarted)).toEqual({ 1: 100, 3: 100 })
    restarted.apply(routes([setOf('v1', 1_000, [1, 3, 4])]), null)
    expect(isTrickle(chosen(restarted)[4])).toBe(true)
  })

  it('forgets that an instance warmed up when its set lost its traffic meanwhile', () => {
    const service = newService()
    service.apply(routes([setOf('v1', 1_000, [1])]), null)
    service.apply(routes([setOf('v1', 1_000, [1, 2])]), null)
    service.apply(routes([setOf('v1', 0, [1, 2]), setOf('v2', 1_000, [3])]), null)
    service.apply(routes([setOf('v1', 1_000, [1, 2]), setOf('v2', 0, [3])]), null)
    expect(chosen(service)).toEqual({ 1: 100, 2: 100 })
  })

  it('does not touch the split between versions', () => {
    const service = newService()
    service.apply(routes([setOf('v1', 900, [1]), setOf('v2', 100, [2])]), null)
    service.apply(routes([setOf('v1', 900, [1, 3]), setOf('v2', 100, [2, 4])]), null)
    const dealt: (string | undefined)[] = Array.from({ length: 1_000 }, () => service.pick(false)?.release)
    expect(dealt.filter((release) => release === 'v2')).toHaveLength(100)
  })
})

describe('a request that is under way while routes change', () => {
  const untriedOf = (set: LiveSet | null) => {
    const first = set?.choose(null) ?? null
    return first === null ? null : (set?.choose([first])?.port ?? null)
  }

  it('moves on to the instances that are active now', () => {
    const service = newService()
    service.apply(routes([setOf('v1', 1_000, [1])]), null)
    const set = service.pick(false)
    expect(untriedOf(set)).toBeNull()
    service.apply(routes([setOf('v1', 1_000, [1, 2])], 0), null)
    expect([1, 2]).toContain(untriedOf(set))
  })

  it('keeps the instances it had when its set only drains', () => {
    const service = newService()
    service.apply(routes([setOf('v1', 1_000, [1, 2])]), null)
    const set = service.pick(false)
    const draining = setOf('v1', 0, [1, 2]).instances.map((one) => ({ ...one, state: 'draining' as const }))
    service.apply(routes([{ ...setOf('v1', 0, []), instances: draining }, setOf('v2', 1_000, [3])]), null)
    expect([1, 2]).toContain(untriedOf(set))
  })
})
