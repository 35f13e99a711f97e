import { formatBytes } from '../../core/shared/bytes.ts'

/** `12345` -> `12,345`. */
export const count = (value: number): string => value.toLocaleString('en-US')

/** `1 request`, `2 requests`. */
export const plural = (value: number, one: string, many = `${one}s`): string =>
  `${count(value)} ${value === 1 ? one : many}`

export const bytes = formatBytes
