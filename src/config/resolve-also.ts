import { resolve as resolvePath } from 'node:path'
import type { AlsoServed } from '../core/release/settings.ts'
import { entryOf } from '../core/shared/entry.ts'
import type { LayeredReader } from './layers.ts'
import { entryValues } from './resolve-entry.ts'
import { addressText, type Value } from './value-text.ts'

/** The other routers of a service, where the file names any. An empty list in an environment takes them away there. */
export function alsoIn(reader: LayeredReader, folder: string): AlsoServed[] {
  const named = reader.find('also', ({ also }) => also) ?? []
  return named.map(({ router, listen, hosts, paths, tls }) => ({
    router,
    listen,
    ...entryOf({
      ...(hosts === undefined ? {} : { hosts }),
      ...(paths === undefined ? {} : { paths }),
      ...(tls === undefined
        ? {}
        : { tls: { certificate: resolvePath(folder, tls.certificate), key: resolvePath(folder, tls.key) } }),
    }),
  }))
}

/** As in the file, for `sluice validate --explain`. */
export const alsoValues = (also: readonly AlsoServed[] = []): Value[] =>
  also.length === 0
    ? [['also', 'none']]
    : also.flatMap((one, index) => {
        const at = `also[${index}]`
        const entry = entryValues(one).map(([path, value]) => [`${at}.${path}`, value] as const)
        return [
          [`${at}.router`, one.router] as const,
          [`${at}.listen`, addressText(one.listen)] as const,
          ...entry,
        ]
      })
