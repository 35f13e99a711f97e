import { describe, expect, it } from 'vitest'
import type { ServiceRoutes } from '../../../core/shared/routes.ts'
import { HostTable } from '../../../proxy/host-table.ts'
import { routesOf } from '../../../proxy/proxy-process.test.kit.ts'
import { certificateListText } from './certificate-list.ts'
import { claimsAt, doorsIn } from './door.ts'
import { certificateOf, frontendOf } from './names.ts'
import { type KeptHere, NO_OWN } from './own.ts'

type Asked = Partial<ServiceRoutes>

/** Services by name, all at one address unless they say where. */
function keptOf(services: Record<string, Asked>): KeptHere {
  const kept: KeptHere = { services: {}, highestTokens: {}, drains: {}, own: { ...NO_OWN, places: {} } }
  for (const [service, more] of Object.entries(services)) {
    const routes = routesOf([{ ports: [1] }], 1, { service, listen: { host: '::', port: 80 }, ...more })
    const tls = routes.tls === undefined ? null : { ...routes.tls, names: routes.hosts ?? [] }
    const place = { listening: routes.listen, preview: null, slots: [null], cookie: null, tls }
    kept.services[service] = routes
    kept.own.places[service] = place
  }
  return kept
}

describe('services at one address', () => {
  it('are one door, and one that takes everything alone keeps its own name', () => {
    const other = { listen: { host: '::1', port: 80 } }
    const doors = doorsIn(keptOf({ b: {}, solo: other, a: { paths: ['/a'] } }))
    expect(doors.map(({ members }) => members.map(({ routes }) => routes.service))).toEqual([
      ['a', 'b'],
      ['solo'],
    ])
    expect(doors.map(({ isSelective }) => isSelective)).toEqual([true, false])
    expect([doors[0]?.name === frontendOf('a'), doors[1]?.name]).toEqual([false, frontendOf('solo')])
    expect(doorsIn(keptOf({ a: { hosts: ['a.test'] } }))[0]?.isSelective).toBe(true)
  })

  it('are asked in an order in which the first that fits is the one of the built-in proxy', () => {
    const entries: Record<string, Asked> = {
      all: { paths: ['/', '/deep/er'] },
      exact: { hosts: ['a.b.test', 'b.test'] },
      pattern: { hosts: ['*.b.test'], paths: ['/deep'] },
      longer: { hosts: ['a.b.test', '*.c.test'], paths: ['/deep/er', '/x'] },
      api: { paths: ['/deep', '/x/y'] },
    }
    const [door] = doorsIn(keptOf(entries))
    if (door === undefined) throw new Error('no door')
    const table = new HostTable(
      Object.entries(entries).map(([name, { hosts, paths }]) => [name, entryFor(hosts, paths)]),
    )
    const claims = claimsAt(door)
    const first = (host: string, path: string) =>
      claims.find(
        (claim) => isHost(claim, host) && (claim.path === '/' || `${path}/`.startsWith(`${claim.path}/`)),
      )
    let seen = 0
    for (const host of ['a.b.test', 'b.test', 'c.b.test', 'z.c.test', 'c.test', 'x.a.b.test', '127.0.0.1'])
      for (const path of ['/', '/deep', '/deeper', '/deep/er', '/deep/er/x', '/x', '/x/y', '/xy']) {
        expect(first(host, path)?.placed.routes.service ?? null, `${host}${path}`).toBe(
          table.find(host, path),
        )
        seen += 1
      }
    expect(seen).toBe(56)
  })

  it('show the certificate of the longest path for a name, and one without names to all others', () => {
    const tls = { certificate: '/c.pem', key: '/c key' }
    const [door] = doorsIn(
      keptOf({
        api: { hosts: ['b.test'], paths: ['/api'], tls },
        shop: { hosts: ['b.test', '*.b.test'], tls },
        all: { tls },
      }),
    )
    const lines = door === undefined ? [] : certificateListText(door).trimEnd().split('\n')
    expect(lines.slice(3)).toEqual([
      `${certificateOf('all')} !*`,
      `${certificateOf('api')} b.test`,
      `${certificateOf('shop')} *.b.test`,
    ])
    expect(lines[0]).toBe('# ["/c.pem","/c key"]')
  })
})

const entryFor = (hosts: string[] | undefined, paths: string[] | undefined) => ({
  ...(hosts === undefined ? {} : { hosts }),
  ...(paths === undefined ? {} : { paths }),
})

function isHost({ kind, hosts }: ReturnType<typeof claimsAt>[number], host: string): boolean {
  if (kind === 'every') return true
  return hosts.includes(kind === 'host' ? host : host.slice(host.indexOf('.')))
}
