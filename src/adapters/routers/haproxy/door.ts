import { type Entry, isSelective } from '../../../core/shared/entry.ts'
import type { ListenAddress } from '../../../core/shared/listen-address.ts'
import { doorAt, frontendOf } from './names.ts'
import { type KeptHere, type Placed, placedIn } from './own.ts'

/** One listen address, and the services that take their traffic there. */
export type Door = {
  /** Of its frontend. Where all requests are those of one service it has the name of that one. */
  name: string
  listening: ListenAddress
  isSecure: boolean
  /** Host and path say whose a request is. */
  isSelective: boolean
  /** By name, so that the first certificate is the same one after a restart. */
  members: readonly Placed[]
}

export function doorsIn(kept: KeptHere): Door[] {
  const byAddress = new Map<string, Placed[]>()
  for (const placed of placedIn(kept)) {
    const { host, port } = placed.place.listening
    const key = `${host} ${port}`
    byAddress.set(key, [...(byAddress.get(key) ?? []), placed])
  }
  return [...byAddress.values()].flatMap((members) => {
    const [first] = members
    return first === undefined ? [] : [doorOf(first, members)]
  })
}

function doorOf(first: Placed, members: readonly Placed[]): Door {
  const { listening } = first.place
  const selective = members.length > 1 || isSelective(first.routes)
  return {
    name: selective ? doorAt(listening) : frontendOf(first.routes.service),
    listening,
    isSecure: first.place.tls !== null,
    isSelective: selective,
    members: members.toSorted((one, other) => (one.routes.service < other.routes.service ? -1 : 1)),
  }
}

/** Requests for this path of these hosts are those of a service. */
export type Claim = { placed: Placed; kind: 'host' | 'pattern' | 'every'; hosts: string[]; path: string }

const KINDS = ['host', 'pattern', 'every'] as const

/** In the order in which the first one that fits wins, as in `src/proxy/host-table.ts`: exact names, patterns, every host; then the longest path. */
export const claimsAt = ({ members }: Door): Claim[] =>
  members
    .flatMap(claimsOf)
    .toSorted(
      (one, other) =>
        KINDS.indexOf(one.kind) - KINDS.indexOf(other.kind) || other.path.length - one.path.length,
    )

function claimsOf(placed: Placed): Claim[] {
  const { hosts, paths = ['/'] }: Entry = placed.routes
  return paths.flatMap((path): Claim[] => {
    if (hosts === undefined) return [{ placed, kind: 'every', hosts: [], path }]
    const [patterns, names] = [hosts.filter(isPattern), hosts.filter((host) => !isPattern(host))]
    return [
      ...(names.length === 0 ? [] : [{ placed, kind: 'host' as const, hosts: names, path }]),
      ...(patterns.length === 0
        ? []
        : [{ placed, kind: 'pattern' as const, hosts: patterns.map(behindStar), path }]),
    ]
  })
}

const isPattern = (host: string): boolean => host.startsWith('*')
/** @example behindStar('*.example.org') // '.example.org' */
const behindStar = (host: string): string => host.slice(1)

/** Whose certificate is shown for which names; `names` of the last one are all others. */
export type Showing = { placed: Placed; names: string[]; patterns: string[] }

/** For each name the claim of the longest path, since a certificate is shown before there is a path. */
export function showingsAt(door: Door): Showing[] {
  const showings = door.members.map((placed): Showing => ({ placed, names: [], patterns: [] }))
  const taken = new Set<string>()
  for (const { placed, kind, hosts } of claimsAt(door)) {
    const showing = showings.find((one) => one.placed === placed)
    for (const host of hosts) {
      if (taken.has(`${kind} ${host}`)) continue
      taken.add(`${kind} ${host}`)
      if (kind === 'host') showing?.names.push(host)
      else showing?.patterns.push(`*${host}`)
    }
  }
  return showings
}

/** Whose certificate those are shown who name nobody that is known: of who takes every host, or else the first one. */
export const shownToOthers = (door: Door): Placed | undefined =>
  claimsAt(door).find(({ kind }) => kind === 'every')?.placed ?? door.members[0]
