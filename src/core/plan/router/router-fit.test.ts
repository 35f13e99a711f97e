import { describe, expect, it } from 'vitest'
import { abilitiesFake } from '../../../testkit/fakes/router-abilities.ts'
import { releaseRecord, simulatedSettings } from '../../../testkit/simulator/settings.ts'
import type { ServiceSettings } from '../../release/settings.ts'
import { problem } from '../../shared/problem.ts'
import { routerNeeds, routerRefusal, routerText } from './router-fit.ts'

const settings = (change: Partial<ServiceSettings> = {}): ServiceSettings => ({
  ...simulatedSettings(),
  ...change,
})
const release = (change: Partial<ServiceSettings> = {}, version = '1.1.0') =>
  releaseRecord(version, settings(change))
const listen = (port: number) => ({ listen: { host: '127.0.0.1', port } })

describe('the router of a plan', () => {
  it('is asked for nothing by a plain canary, and for nothing at all by a worker', () => {
    expect(routerNeeds(settings())).toEqual([])
    expect(routerNeeds(settings({ listen: null, slowStartMs: 1000 }))).toEqual([])
  })

  it('names the keys of the file that ask for more', () => {
    const asked = settings({ slowStartMs: 1000, onControllerLoss: { kind: 'revert', afterMs: 1000 } })
    expect(routerNeeds(asked).map(({ key }) => key)).toEqual(['health.slowStart', 'onControllerLoss: revert'])
  })

  it('refuses before anything is started what the router cannot do, with its reason', () => {
    const asked = release({ router: 'nginx', onControllerLoss: { kind: 'revert', afterMs: 1000 } })
    const abilities = abilitiesFake('nginx', { revert: 'nginx does not know whether a controller is there.' })
    expect(routerRefusal({ release: asked, stable: null, abilities })).toMatchObject({
      code: 'ROUTER_CANNOT',
      message:
        'nginx cannot do what the file asks of it. onControllerLoss: revert: nginx does not know whether a controller is there.',
    })
  })

  it('refuses with the problem of a router that is not there', () => {
    const missing = problem('ROUTER_NOT_INSTALLED', { message: 'no haproxy', remedy: 'install it' })
    const abilities = { ...abilitiesFake('haproxy'), problem: missing }
    expect(routerRefusal({ release: release({ router: 'haproxy' }), stable: null, abilities })).toBe(missing)
    expect(routerRefusal({ release: release({ listen: null }), stable: null, abilities })).toBeNull()
  })

  it('does not move to an address that the router before still holds', () => {
    const abilities = abilitiesFake('haproxy')
    const moved = (to: Partial<ServiceSettings>) =>
      routerRefusal({
        release: release({ router: 'haproxy', ...to }),
        stable: release(listen(8080), '1.0.0'),
        abilities,
      })
    expect(moved(listen(8080))).toMatchObject({ code: 'ROUTER_ADDRESS_HELD' })
    expect(moved(listen(8081))).toBeNull()
  })

  it('asks for TLS and hosts by their keys, and never changes the speech of an address', () => {
    const tls = { certificate: '/c.pem', key: '/c.key' }
    expect(routerNeeds(settings({ hosts: ['a.org'], tls })).map(({ key }) => key)).toEqual(['tls', 'hosts'])
    expect(routerNeeds(settings({ paths: ['/api'] })).map(({ key }) => key)).toEqual(['paths'])
    const turned = (to: Partial<ServiceSettings>) =>
      routerRefusal({
        release: release({ tls, ...to }),
        stable: release(listen(8080), '1.0.0'),
        abilities: abilitiesFake(),
      })
    expect(turned(listen(8080))).toMatchObject({ code: 'TLS_CHANGED_IN_PLACE' })
    expect(turned(listen(8443))).toBeNull()
  })

  it('asks for each limit by itself, and apart for a rate that not everybody can count', () => {
    const features = (limits: ServiceSettings['limits']) =>
      routerNeeds(settings(limits === undefined ? {} : { limits })).map(({ feature }) => feature)
    expect(features({ bodyBytes: 1024 })).toEqual(['limits'])
    expect(features({ requests: 5 })).toEqual(['limits'])
    const rateOf = (perSecond: number) => ({ rate: { perSecond, burst: 5 } })
    for (const perSecond of [0.05, 0.15, 0.5, 3.3 - 0.05, 200])
      expect(features(rateOf(perSecond))).toEqual(['rate'])
    for (const perSecond of [0.01, 0.04, 3.33])
      expect(features(rateOf(perSecond))).toEqual(['rate', 'fine-rate'])
  })

  it('says which one it is, and how it was chosen', () => {
    const haproxy = { router: 'haproxy', version: '2.6.12' } as const
    expect(routerText(haproxy, false)).toBe('HAProxy 2.6.12')
    expect(routerText(haproxy, true)).toBe('HAProxy 2.6.12, found on this machine (router: auto)')
    expect(routerText({ router: 'builtin', version: '0.1.0' }, true)).toBe(
      'the built-in proxy, because no HAProxy was found on this machine (router: auto)',
    )
  })
})

describe('several routers of a plan', () => {
  const also = [{ router: 'haproxy' as const, listen: { host: '127.0.0.1', port: 8090 } }]

  it('are each asked for what the file asks, and the one that cannot do it is named', () => {
    const asked = release({ also, onControllerLoss: { kind: 'revert', afterMs: 1000 } })
    const abilities = abilitiesFake('haproxy', { revert: 'HAProxy has no such policy.' })
    expect(routerRefusal({ release: asked, stable: null, abilities })).toMatchObject({
      code: 'ROUTER_CANNOT',
      message:
        'HAProxy cannot do what the file asks of it. onControllerLoss: revert: HAProxy has no such policy.',
      remedy: expect.stringContaining('Remove haproxy from "also"'),
    })
    expect(routerRefusal({ release: asked, stable: null, abilities: abilitiesFake() })).toBeNull()
  })

  it('are not asked for what the first one alone does at its address', () => {
    const tls = { certificate: '/c.pem', key: '/c.key' }
    const asked = release({ also, tls, hosts: ['a.org'] })
    const abilities = abilitiesFake('haproxy', { tls: 'no TLS', hosts: 'no hosts' })
    expect(routerRefusal({ release: asked, stable: null, abilities })).toBeNull()
  })

  it('do not take an address that another one of them held before', () => {
    const stable = release({ ...listen(8090), router: 'builtin' }, '1.0.0')
    const asked = release({ ...listen(8080), router: 'builtin', also })
    expect(routerRefusal({ release: asked, stable, abilities: abilitiesFake('haproxy') })).toMatchObject({
      code: 'ROUTER_ADDRESS_HELD',
    })
  })
})
