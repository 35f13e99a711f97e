import { isIPv6 } from 'node:net'
import type { ListenAddress } from '../../../core/shared/listen-address.ts'

/** The built-in proxy serves both families on `::`, so this does, too. */
export const listenText = (address: ListenAddress, more = ''): string =>
  `    listen ${addressText(address)}${address.host === '::' ? ' ipv6only=off' : ''}${more};`

export const addressText = ({ host, port }: ListenAddress): string =>
  isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`
