import { describe, expect, it } from 'vitest'
import type { ServiceRoutes } from '../../../core/shared/routes.ts'
import { NO_SIDE_ROUTES } from '../../../core/shared/side-routes.ts'
import { type ConfigurationInput, configurationOf, untouchedDigest } from './configuration.ts'

const instance = (port: number) => ({ id: `i-${port}`, host: '127.0.0.1', port, state: 'active' as const })

const routesOf = (shares: Record<string, number>, more: Partial<ServiceRoutes> = {}): ServiceRoutes => ({
  service: 'shop',
  token: { epoch: 1, sequence: 1, rollout: null },
  listen: { host: '127.0.0.1', port: 8080 },
  stable: null,
  sets: Object.entries(shares).map(([release, weightPermille], at) => ({
    release,
    version: release,
    weightPermille,
    instances: [instance(4000 + at)],
  })),
  drain: { requestsMs: 30_000, websocketsMs: 60_000 },
  slowStartMs: 0,
  onControllerLoss: { kind: 'hold' },
  probeKey: 'key',
  ...NO_SIDE_ROUTES,
  ...more,
})

const inputOf = (...all: ServiceRoutes[]): ConfigurationInput => ({
  services: all.map((routes) => ({
    routes,
    listening: routes.listen,
    preview: routes.preview?.listen ?? null,
    pair: null,
    round: 0,
  })),
  places: {
    errors: '/f/error.log',
    pid: '/f/nginx.pid',
    temporary: '/f/temporary',
  },
  workers: 2,
})

const sharesIn = (text: string): string[] => {
  const start = text.indexOf('split_clients "$connection-$connection_requests"')
  const block = text.slice(start, text.indexOf('}', start))
  return [...block.matchAll(/^ +(\S+) sluice_([a-z]+)/gm)].map(([, share, name]) => `${share} ${name}`)
}

describe('a configuration of nginx', () => {
  it.each([
    [{ old: 990, fresh: 10 }, ['99% shop', '* shop']],
    [{ old: 1_000, fresh: 0 }, ['* shop']],
    [{ old: 0, fresh: 1_000 }, ['* shop']],
    [{ old: 999, fresh: 1 }, ['99.9% shop', '* shop']],
  ])('writes the shares %j', (shares, expected) => {
    expect(sharesIn(configurationOf(inputOf(routesOf(shares))).text)).toEqual(expected)
  })

  it('keeps the instances of a release without weight, for rules and the preview (S128)', () => {
    const { text } = configurationOf(inputOf(routesOf({ old: 1_000, fresh: 0 })))
    // One for requests and one for WebSockets each.
    expect(text.match(/^upstream /gm)).toHaveLength(4)
    expect(text).toContain('server 127.0.0.1:4001 ')
  })

  it('gives WebSockets connections of their own, and nothing else: live, by rules, and at the preview', () => {
    const preview = { listen: { host: '127.0.0.1', port: 4100 }, release: 'fresh' }
    const sticky = { kind: 'assign' as const, cookie: 'version', forMs: 60_000, salt: 's', release: 'fresh' }
    const routes = routesOf({ old: 900, fresh: 100 }, { preview, sticky })
    const { text } = configurationOf(inputOf(routes))
    const locations = text.split(/^ {4}location /m).slice(1)
    const passes = (isLong: boolean): string[] =>
      locations
        .filter((location) => /^@\w+_long \{/.test(location) === isLong)
        .flatMap((location) => location.match(/proxy_pass \S+/g) ?? [])
    expect(passes(true)).toHaveLength(2)
    for (const pass of passes(true)) expect(pass).toMatch(/_long\$request_uri;$/)
    expect(passes(false).length).toBeGreaterThan(0)
    for (const pass of passes(false)) expect(pass).not.toContain('_long')
  })

  it('names draining instances nowhere', () => {
    const routes = routesOf({ old: 1_000, fresh: 0 })
    const sets = routes.sets.map((set) =>
      set.weightPermille > 0
        ? set
        : { ...set, instances: [{ ...instance(4001), state: 'draining' as const }] },
    )
    expect(configurationOf(inputOf({ ...routes, sets })).text).not.toContain('4001')
  })

  it('is the same text for the same services, in whatever order', () => {
    const [shop, cart] = [routesOf({ old: 1_000 }), routesOf({ old: 1_000 }, { service: 'cart' })]
    expect(configurationOf(inputOf(shop, cart))).toEqual(configurationOf(inputOf(cart, shop)))
  })

  it('shows by its marker whether somebody changed it', () => {
    const { text, digest } = configurationOf(inputOf(routesOf({ old: 950, fresh: 50 })))
    expect(untouchedDigest(text)).toBe(digest)
    expect(untouchedDigest(text.replace('95%', '50%'))).toBeNull()
    expect(untouchedDigest('')).toBeNull()
  })

  it('holds no word of a user as it is', () => {
    const evil = 'x"; } server { listen 1; } # $host\n\\'
    const { text } = configurationOf(
      inputOf(
        routesOf(
          { [evil]: 500, other: 500 },
          {
            service: evil,
            probeKey: evil,
            hosts: ['a.org'],
            paths: [`/${evil}`],
            limits: { bodyBytes: 1, requests: 1, rate: { perSecond: 0.5, burst: 1 } },
            rules: [
              { match: { kind: 'exact', in: 'cookie', name: evil, value: evil }, release: evil },
              {
                match: { kind: 'pattern', in: 'header', name: 'x', pattern: `${evil}*${evil}` },
                release: evil,
              },
            ],
            sticky: {
              ...{ kind: 'assign', cookie: evil, forMs: 1_000, salt: evil, release: evil },
              test: {
                by: { in: 'cookie', name: evil },
                where: [[{ kind: 'exact', in: 'cookie', name: evil, value: evil }]],
                variants: [{ name: 'a', sharePermille: 500 }],
                goal: { method: 'GET', path: `/${evil}*` },
              },
            },
          },
        ),
      ),
    )
    const outside = text.replace(/"(?:\\.|[^"\\])*"/g, '').replace(/#.*$/gm, '')
    expect(outside).not.toContain('listen 1;')
  })
})
