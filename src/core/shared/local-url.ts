import type { ListenAddress } from './listen-address.ts'

/**
 * Where something that listens is reached from its own host.
 *
 * @example localUrl({ host: '0.0.0.0', port: 8080 }) // 'http://127.0.0.1:8080'
 */
export const localUrl = ({ host, port }: ListenAddress): string => {
  const named = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host
  return `http://${named.includes(':') ? `[${named}]` : named}:${port}`
}
