import { describe, expect, it } from 'vitest'
import type { MirrorRoute } from '../../core/shared/mirror.ts'
import { type RouteSet, ServiceRoutes } from '../../core/shared/routes.ts'
import { NO_SIDE_ROUTES } from '../../core/shared/side-routes.ts'
import { Limits } from '../limits.ts'
import { Service } from '../service.ts'

const MIRROR: MirrorRoute = {
  ...{ salt: 'r1', release: 'v2', sharePermille: 500, bodies: { kind: 'off' } },
  requests: [{ method: 'GET', path: '*' }],
}
const setOf = (release: string, weightPermille: number, ports: number[]): RouteSet => ({
  ...{ release, version: release, weightPermille },
  instances: ports.map((port) => ({ id: `${port}`, host: '127.0.0.1', port, state: 'active' })),
})
const routes = (more: Partial<ServiceRoutes> = {}): ServiceRoutes => ({
  service: 'shop',
  token: { epoch: 1, sequence: 1, rollout: 'r1' },
  listen: { host: '127.0.0.1', port: 0 },
  stable: 'v1',
  sets: [setOf('v1', 1000, [1]), setOf('v2', 0, [2])],
  drain: { requestsMs: 0, websocketsMs: 0 },
  slowStartMs: 0,
  onControllerLoss: { kind: 'revert', afterMs: 1 },
  probeKey: 'key',
  ...NO_SIDE_ROUTES,
  mirror: MIRROR,
  ...more,
})
const newService = () => new Service('shop', { limits: Limits.parse({}), trustForwarded: false })

describe('the mirror of a service', () => {
  it('is on while its routes say so, and the same one over other changes', () => {
    const service = newService()
    service.apply(routes({ mirror: null }), null)
    expect([service.mirror, service.countsReport('b').shadow]).toEqual([null, undefined])
    service.apply(routes(), null)
    const { mirror } = service
    expect(mirror?.route).toEqual(MIRROR)
    service.apply(routes({ sets: [setOf('v1', 1000, [1, 3]), setOf('v2', 0, [2])] }), null)
    expect(service.mirror).toBe(mirror)
  })

  it('is off when traffic went back to stable because no controller speaks, and when the service is retired (S43)', () => {
    const service = newService()
    service.apply(routes(), null)
    service.apply(routes(), { at: 1, fromWeights: { v1: 1000, v2: 0 } })
    expect(service.mirror).toBeNull()
    service.apply(routes(), null)
    expect(service.mirror).not.toBeNull()
    service.retire({ requestsMs: 0, websocketsMs: 0 })
    expect(service.mirror).toBeNull()
  })

  it('is no route where nobody could answer the copies', () => {
    const empty = routes({ sets: [setOf('v1', 1000, [1]), setOf('v2', 0, [])] })
    expect(ServiceRoutes.safeParse(empty).error?.message).toContain(
      'a mirror needs a set with an active instance',
    )
    expect(ServiceRoutes.safeParse(routes()).success).toBe(true)
  })

  it('reads routes that were written before there were mirrors', () => {
    const { mirror: _, ...before } = routes()
    expect(ServiceRoutes.parse(before).mirror).toBeNull()
  })
})
