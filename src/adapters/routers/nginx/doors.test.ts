import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Entry, entryConflict } from '../../../core/shared/entry.ts'
import type { ServiceRoutes } from '../../../core/shared/routes.ts'
import { NO_SIDE_ROUTES } from '../../../core/shared/side-routes.ts'
import { hostName } from '../../../proxy/host-name.ts'
import { HostTable } from '../../../proxy/host-table.ts'
import { doorText } from './door-text.ts'
import { type Door, doorsOf, seatsOf } from './doors.ts'
import type { Served } from './service.ts'
import { hostExpression, pathExpression } from './words.ts'

const HOSTS = ['a.org', 'b.a.org', '*.a.org', '*.b.a.org', '[2001:db8::1]']
const PATHS = ['/', '/api', '/api/v1', '/ap', '/a+b.c', '/é']
const ASKED_HOSTS = [
  ...['a.org', 'A.ORG', 'a.org.', 'a.org:80', 'a.org.:80', 'x.a.org', 'b.a.org', 'y.b.a.org', 'x.y.b.a.org'],
  ...['.a.org', 'aXorg', '', 'other', '[2001:DB8::1]:8', 'a.org:999999', 'a.org..'],
]
const ASKED_PATHS = [
  '/',
  '/api',
  '/api/',
  '/api/v1',
  '/api/v12',
  '/apis',
  '/ap',
  '/a+b.c/x',
  '/aab.c',
  '/API',
  '/é/1',
]

const listen = { host: '127.0.0.1', port: 8080 }

function served(service: string, entry: Entry, digest: string | null = null): Served {
  const routes: ServiceRoutes = {
    ...{ service, token: { epoch: 1, sequence: 1, rollout: null }, listen, stable: null, sets: [] },
    ...{ drain: { requestsMs: 1, websocketsMs: 1 }, slowStartMs: 0, probeKey: 'key' },
    onControllerLoss: { kind: 'hold' },
    ...NO_SIDE_ROUTES,
    ...entry,
  }
  const names = (entry.hosts ?? []).map((host) => host)
  const pair = digest === null ? null : { digest, file: `certificates/${digest}.pem`, key: '/k.pem', names }
  return { routes, listening: listen, preview: null, pair, round: 0 }
}

const doorOf = (...members: Served[]): Door => ({ address: listen, members })

/** As nginx goes through the lines of a map: the first one that fits. `\z` is the end of the text to it. */
function finderOf(door: Door): (host: string, path: string) => string | null {
  const lines = seatsOf(door).map(({ host, path, member }) => ({
    expression: new RegExp(`${pathExpression(path)} ${hostExpression(host)}$`),
    service: member.routes.service,
  }))
  return (host, path) => lines.find(({ expression }) => expression.test(`${path} ${host}`))?.service ?? null
}

const someOf = (all: readonly string[]) =>
  fc.option(fc.subarray([...all], { minLength: 1 }), { nil: undefined })
const entry = fc.record({ hosts: someOf(HOSTS), paths: someOf(PATHS) }).map(
  ({ hosts, paths }): Entry => ({
    ...(hosts === undefined ? {} : { hosts }),
    ...(paths === undefined ? {} : { paths }),
  }),
)

describe('a door of nginx', () => {
  it('gives each request to the service that the built-in proxy gives it to', () => {
    fc.assert(
      fc.property(fc.array(entry, { minLength: 1, maxLength: 4 }), (entries) => {
        const fitting = entries.filter((one, at) =>
          entries.slice(0, at).every((other) => entryConflict(one, other) === null),
        )
        const members = fitting.map((one, at) => served(`s${at}`, one))
        const table = new HostTable(members.map(({ routes }) => [routes.service, routes] as const))
        const takenBy = finderOf(doorOf(...members))
        for (const host of ASKED_HOSTS)
          expect(
            ASKED_PATHS.map((path) => takenBy(host, path)),
            host,
          ).toEqual(ASKED_PATHS.map((path) => table.find(hostName(host), path)))
      }),
    )
  })

  it('keeps services of other addresses out, and those of one together', () => {
    const [one, two] = [served('one', {}), served('two', { hosts: ['a.org'] })]
    const elsewhere = { ...served('three', {}), listening: { host: '::1', port: 8080 } }
    const doors = doorsOf([one, two, elsewhere])
    expect(doors.map(({ members }) => members.map(({ routes }) => routes.service))).toEqual([
      ['one', 'two'],
      ['three'],
    ])
  })

  it('looks at nothing of a request where one service has the address for itself', () => {
    expect(doorText(doorOf(served('one', {})))).not.toContain('$sluice_at_')
    expect(doorText(doorOf(served('one', { paths: ['/'] })))).toContain('$sluice_at_')
  })

  it('has one server for all names with the same certificate and services, and the first one for no name', () => {
    const text = doorText(
      doorOf(
        served('one', { hosts: ['a.org', 'b.a.org', '*.a.org'] }, 'd1'),
        served('two', { hosts: ['c.org'] }, 'd2'),
      ),
    )
    const servers = text.split('server {').slice(1)
    expect(servers.map((server) => /ssl_certificate \S+/.exec(server)?.[0])).toEqual([
      'ssl_certificate certificates/d1.pem;',
      'ssl_certificate certificates/d1.pem;',
      'ssl_certificate certificates/d2.pem;',
    ])
    expect(servers.map((server) => server.includes('default_server'))).toEqual([true, false, false])
    expect(servers.map((server) => /server_name (.*);/.exec(server)?.[1])).toEqual([
      undefined,
      expect.stringMatching(/^"a\.org" "b\.a\.org" "~/),
      '"c.org"',
    ])
    expect(servers[1]).not.toContain('location = /sluice_two')
  })

  it('asks nobody for a certificate that was not meant where all show the same', () => {
    const both = doorOf(served('one', { hosts: ['a.org'] }, 'd1'), served('two', { hosts: ['c.org'] }, 'd1'))
    expect(doorText(both)).not.toContain('ssl_server_name')
  })
})
