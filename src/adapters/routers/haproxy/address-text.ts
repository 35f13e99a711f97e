import type { ListenAddress } from '../../../core/shared/listen-address.ts'

/** @example addressText({ host: '::1', port: 80 }) // '[::1]:80' */
export const addressText = ({ host, port }: ListenAddress): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
