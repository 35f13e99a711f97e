import * as z from 'zod'

/** Where certificate and key are. Only the paths travel and are kept; what is in the files stays in the data plane. */
export const TlsFiles = z.object({ certificate: z.string(), key: z.string() })
export type TlsFiles = z.infer<typeof TlsFiles>

/**
 * Which of the requests that arrive at an address are those of a service, and whether it speaks TLS there. Several
 * services share an address when their hosts or paths tell them apart. Absent: every host, every path, no TLS.
 */
export const Entry = z.object({
  /** Names in lower case without a port; `*.example.org` stands for exactly one label in front. */
  hosts: z.array(z.string()).exactOptional(),
  /** Whole segments at the beginning of the path; the path is passed on as it came. */
  paths: z.array(z.string()).exactOptional(),
  tls: TlsFiles.exactOptional(),
})
export type Entry = z.infer<typeof Entry>

/** @example entryOf({ hosts: ['shop.example.org'], listen, ... }) // { hosts: ['shop.example.org'] } */
export const entryOf = ({ hosts, paths, tls }: Entry): Entry => ({
  ...(hosts === undefined ? {} : { hosts }),
  ...(paths === undefined ? {} : { paths }),
  ...(tls === undefined ? {} : { tls }),
})

/** Something has to be looked at to know whose a request is. */
export const isSelective = ({ hosts, paths }: Entry): boolean => hosts !== undefined || paths !== undefined

/**
 * Why two services cannot take traffic at one address, or `null` where each request has one of them: the most specific
 * host that fits wins, then the longest path.
 */
export function entryConflict(one: Entry, other: Entry): string | null {
  if ((one.tls === undefined) !== (other.tls === undefined))
    return 'one of them speaks TLS there, and the other one does not'
  const theirs = new Set(claimsOf(other))
  const both = claimsOf(one).find((claim) => theirs.has(claim))
  return both === undefined ? null : `both take ${both}`
}

/** Of each host all paths, as people read it. */
const claimsOf = ({ hosts, paths }: Entry): string[] =>
  (hosts ?? [null]).flatMap((host) =>
    (paths ?? ['/']).map((path) => {
      const where = path === '/' ? 'all paths' : path
      return host === null ? `${where} of every host` : `${where} of ${host}`
    }),
  )

/** @example isWithin('/api/cart?x=1', '/api') // true, and false for '/apis' */
export function isWithin(path: string, prefix: string): boolean {
  if (prefix === '/') return true
  if (!path.startsWith(prefix)) return false
  const next = path.charCodeAt(prefix.length)
  // The end, a slash or a question mark.
  return Number.isNaN(next) || next === 47 || next === 63
}

/** A name that a request for this host can carry: a pattern stands for any first label. */
export const sampleHost = (host: string): string => host.replace(/^\*/, 'sluice')
