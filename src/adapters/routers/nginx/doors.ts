import { isSelective } from '../../../core/shared/entry.ts'
import type { ListenAddress } from '../../../core/shared/listen-address.ts'
import type { ShownPair } from './kept-pair.ts'
import type { Served } from './service.ts'

/** One address and the services that take traffic there, by their names. */
export type Door = { address: ListenAddress; members: Served[] }

export function doorsOf(services: readonly Served[]): Door[] {
  const doors = new Map<string, Door>()
  for (const served of services) {
    const { host, port } = served.listening
    const key = `${port} ${host}`
    const door = doors.get(key) ?? { address: { host, port }, members: [] }
    doors.set(key, door)
    door.members.push(served)
  }
  return [...doors.values()]
}

/** A service that has the address for itself and takes everything there; `null` where host and path of a request say whose it is. */
export function onlyOne({ members }: Door): Served | null {
  const [first, ...others] = members
  return first === undefined || others.length > 0 || isSelective(first.routes) ? null : first
}

/** A service below a path, for one host. */
export type Seat = { host: string | null; path: string; member: Served }

/**
 * Whose a request is: the first seat that fits. Exact names come before the pattern for a first label, those before whoever
 * takes every host, and among them longer paths first (`src/proxy/host-table.ts`).
 */
export function seatsOf({ members }: Door): Seat[] {
  const seats = members.flatMap((member) => {
    const { hosts = [null], paths = ['/'] } = member.routes
    return paths.flatMap((path) => hosts.map((host): Seat => ({ host, path, member })))
  })
  return seats.toSorted(
    (one, other) => levelOf(one.host) - levelOf(other.host) || other.path.length - one.path.length,
  )
}

const levelOf = (host: string | null): number => (host === null ? 2 : host.startsWith('*') ? 1 : 0)

/** Who may get requests for a name, and the certificate that clients are shown for it. */
export type Named = { host: string | null; members: Served[]; pair: ShownPair | null }

/** The names of a door with TLS: each host as it is written, and `null` for all others. */
export function namesOf(door: Door): Named[] {
  const seats = seatsOf(door)
  const hosts = new Set(seats.flatMap(({ host }) => host ?? []))
  const named = [...hosts].map((host): Named => {
    const own = seats.filter((seat) => seat.host === host)
    const behind = host.slice(host.indexOf('.'))
    const others = seats.filter(
      (seat) => seat.host === null || (!host.startsWith('*') && seat.host === `*${behind}`),
    )
    return { host, members: membersOf([...own, ...others]), pair: own[0]?.member.pair ?? null }
  })
  const rest = seats.filter(({ host }) => host === null)
  return [
    ...named,
    { host: null, members: membersOf(rest), pair: (rest[0]?.member ?? door.members[0])?.pair ?? null },
  ]
}

/** To who asks for no name at all. */
export const firstPair = ({ members }: Door): ShownPair | null => members[0]?.pair ?? null

/** All certificates of a door, each once. */
export function pairsOf({ members }: Door): ShownPair[] {
  const byId = new Map(members.flatMap(({ pair }) => (pair === null ? [] : [[idOf(pair), pair] as const])))
  return [...byId.values()]
}

/** The same for one certificate with one key. */
export const idOf = ({ digest, key }: ShownPair): string => `${digest} ${key}`

const membersOf = (seats: readonly Seat[]): Served[] => [...new Set(seats.map(({ member }) => member))]
