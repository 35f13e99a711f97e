import { resolve as resolvePath } from 'node:path'
import { type Entry, isWithin } from '../core/shared/entry.ts'
import type { LayeredReader } from './layers.ts'
import { listText, type Value, wordText } from './value-text.ts'

/** Hosts, paths and certificate, where the file names them. */
export function entryIn(reader: LayeredReader, folder: string): Entry {
  const hosts = reader.find('hosts', (layer) => layer.hosts)
  const paths = reader.find('paths', (layer) => layer.paths)
  const certificate = reader.find('tls.certificate', ({ tls }) => tls?.certificate)
  const key = reader.find('tls.key', ({ tls }) => tls?.key)
  return {
    ...(hosts === undefined ? {} : { hosts }),
    ...(paths === undefined ? {} : { paths }),
    ...(certificate === undefined || key === undefined
      ? {}
      : { tls: { certificate: resolvePath(folder, certificate), key: resolvePath(folder, key) } }),
  }
}

/** A request for this path is one of the service's. */
export const takesPath = ({ paths }: Entry, path: string): boolean =>
  paths?.some((prefix) => isWithin(path, prefix)) ?? true

export const entryValues = ({ hosts, paths, tls }: Entry): Value[] => [
  ...(hosts === undefined ? [] : [['hosts', listText(hosts)] as const]),
  ...(paths === undefined ? [] : [['paths', listText(paths)] as const]),
  ...(tls === undefined
    ? []
    : [['tls.certificate', wordText(tls.certificate)] as const, ['tls.key', wordText(tls.key)] as const]),
]
