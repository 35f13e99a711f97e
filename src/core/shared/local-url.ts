import { type Entry, sampleHost } from './entry.ts'
import type { ListenAddress } from './listen-address.ts'

/**
 * How a service is asked from its own host under the name that users know: connect there, and never ask a name server.
 * The certificate must be for `name` and not expired. Who signed it is not asked: the other end is our own data plane,
 * and what this machine trusts is not what users trust.
 */
export type LocalWay = { connect: string; name: string | null }

/** A base address without a path. `way` where the address alone does not lead there. */
export type LocalPlace = { url: string; way?: LocalWay }

/**
 * Where something that listens is reached from its own host.
 *
 * @example localUrl({ host: '0.0.0.0', port: 8080 }) // 'http://127.0.0.1:8080'
 */
export const localUrl = (address: ListenAddress): string => `http://${authority(nearHost(address), address)}`

/**
 * The same for a service with hosts or TLS.
 *
 * @example localPlace({ host: '0.0.0.0', port: 8443 }, { hosts: ['shop.example.org'], tls })
 * // { url: 'https://shop.example.org:8443', way: { connect: '127.0.0.1', name: 'shop.example.org' } }
 */
export function localPlace(address: ListenAddress, { hosts, paths: _, tls }: Entry): LocalPlace {
  const connect = nearHost(address)
  if (hosts === undefined && tls === undefined) return { url: localUrl(address) }
  const named = hosts?.find((host) => !host.startsWith('*')) ?? hosts?.[0]
  const name = named === undefined ? null : sampleHost(named)
  const scheme = tls === undefined ? 'http' : 'https'
  return { url: `${scheme}://${authority(name ?? connect, address)}`, way: { connect, name } }
}

const nearHost = ({ host }: ListenAddress): string =>
  host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host

const authority = (host: string, { port }: ListenAddress): string =>
  `${host.includes(':') && !host.startsWith('[') ? `[${host}]` : host}:${port}`
