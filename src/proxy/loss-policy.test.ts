import { describe, expect, it } from 'vitest'
import type { ServiceRoutes } from '../core/shared/routes.ts'
import { NO_SIDE_ROUTES } from '../core/shared/side-routes.ts'
import { mustRevert } from './loss-policy.ts'

const routes = (
  more: Partial<ServiceRoutes> = {},
  stableState: 'active' | 'draining' = 'active',
): ServiceRoutes => ({
  service: 'shop',
  token: { epoch: 1, sequence: 1, rollout: null },
  listen: { host: '127.0.0.1', port: 0 },
  stable: 'a',
  sets: [
    {
      release: 'a',
      version: 'a',
      weightPermille: 900,
      instances: [{ id: '1', host: 'h', port: 1, state: stableState }],
    },
    {
      release: 'b',
      version: 'b',
      weightPermille: 100,
      instances: [{ id: '2', host: 'h', port: 2, state: 'active' }],
    },
  ],
  drain: { requestsMs: 0, websocketsMs: 0 },
  slowStartMs: 0,
  onControllerLoss: { kind: 'revert', afterMs: 1_000 },
  probeKey: 'key',
  ...NO_SIDE_ROUTES,
  ...more,
})

describe('controller-loss policy', () => {
  it('reverts when the time is over, not before', () => {
    expect(mustRevert(routes(), 999)).toBe(false)
    expect(mustRevert(routes(), 1_000)).toBe(true)
  })

  it('holds by default, however long it takes', () => {
    expect(mustRevert(routes({ onControllerLoss: { kind: 'hold' } }), 1e9)).toBe(false)
  })

  it('never reverts to nothing: no stable, or stable without an active instance', () => {
    expect(mustRevert(routes({ stable: null }), 2_000)).toBe(false)
    expect(mustRevert(routes({ stable: 'c' }), 2_000)).toBe(false)
    expect(mustRevert(routes({}, 'draining'), 2_000)).toBe(false)
  })

  it('has nothing to do when stable has everything', () => {
    const sets = routes().sets.map((set) => ({ ...set, weightPermille: set.release === 'a' ? 1_000 : 0 }))
    expect(mustRevert(routes({ sets }), 2_000)).toBe(false)
  })
})
