import { createServer } from 'node:net'
import { entryConflict } from '../../../core/shared/entry.ts'
import type { ListenAddress } from '../../../core/shared/listen-address.ts'
import { type Problem, problem } from '../../../core/shared/problem.ts'
import { failed, ok, type Result } from '../../../core/shared/result.ts'
import { entryTaken, otherSpeech } from '../../../core/shared/route-problems.ts'
import type { ServiceRoutes } from '../../../core/shared/routes.ts'
import { readFit } from '../../../tls/live-certificate.ts'
import { namesIn } from '../../../tls/pair.ts'
import { entryOf } from '../../tools/fenced-routes.ts'
import { addressText } from './address-text.ts'
import { type KeptHere, type Place, placedIn, slotsFor } from './own.ts'

/** Gives every service its place: addresses that are free, and backends for its releases. Refuses what cannot be had. */
export async function placed(kept: KeptHere): Promise<Result<KeptHere>> {
  const places: Record<string, Place> = {}
  for (const routes of Object.values(kept.services)) {
    const place = await placeOf(kept, routes)
    if (place.kind === 'failed') return place
    places[routes.service] = place.value
  }
  return ok({ ...kept, own: { ...kept.own, places } })
}

async function placeOf(kept: KeptHere, routes: ServiceRoutes): Promise<Result<Place>> {
  const before = entryOf(kept.own.places, routes.service)
  const listening = await liveAddressFor(kept, { routes, before })
  if (listening.kind === 'failed') return listening
  const tls = await tlsOf(routes, before)
  if (tls.kind === 'failed') return tls
  const preview =
    routes.preview === null
      ? ok(null)
      : await addressFor(kept, { wanted: routes.preview.listen, before: before?.preview ?? null })
  if (preview.kind === 'failed') return preview
  const live = (entryOf(kept.drains, routes.service) ?? []).filter(({ tookMs }) => tookMs === null)
  const slots = slotsFor(before?.slots ?? [], {
    releases: routes.sets.map(({ release }) => release),
    draining: live.map(({ release }) => release),
  })
  const cookie = routes.sticky?.cookie ?? before?.cookie ?? null
  return ok({ listening: listening.value, preview: preview.value, slots, cookie, tls: tls.value })
}

type Wanted = { routes: ServiceRoutes; before: Place | null }

/** An address at which others are already is shared with them, where host and path tell their requests apart. */
async function liveAddressFor(kept: KeptHere, { routes, before }: Wanted): Promise<Result<ListenAddress>> {
  const address = addressOf(routes, before)
  const others = Object.values(kept.services).filter(
    (other) =>
      other.service !== routes.service &&
      isSame(address, addressOf(other, entryOf(kept.own.places, other.service))),
  )
  const isSecure = routes.tls !== undefined
  if (before !== null && isSame(before.listening, address) && isSecure !== (before.tls !== null))
    return failed(otherSpeech(addressText(address), !isSecure))
  for (const other of address.port === 0 ? [] : others) {
    const refused = conflict(routes, other, addressText(address))
    if (refused !== null) return failed(refused)
  }
  return others.length > 0 && address.port !== 0
    ? ok(address)
    : await addressFor(kept, { wanted: routes.listen, before: before?.listening ?? null })
}

/** Where it is, as far as that is what is asked for; port 0 stands for one that is still to be chosen. */
const addressOf = ({ listen }: ServiceRoutes, before: Place | null): ListenAddress =>
  before !== null && before.listening.host === listen.host && listen.port === 0 ? before.listening : listen

function conflict(routes: ServiceRoutes, other: ServiceRoutes, address: string): Problem | null {
  const isSecure = other.tls !== undefined
  if (isSecure !== (routes.tls !== undefined)) return otherSpeech(address, isSecure)
  const why = entryConflict(routes, other)
  return why === null ? null : entryTaken(routes.service, { other: other.service, why, address })
}

/** What clients are shown already needs no files: a way back must not fail because somebody renews them now. */
async function tlsOf(
  { tls, hosts = [] }: ServiceRoutes,
  before: Place | null,
): Promise<Result<Place['tls']>> {
  if (tls === undefined) return ok(null)
  const known = before?.tls ?? null
  if (known !== null && known.certificate === tls.certificate && known.key === tls.key) return ok(known)
  const pair = await readFit(tls, hosts)
  if (pair.kind === 'failed') return pair
  return ok({ ...tls, names: namesIn(pair.value.certificate) })
}

type Wish = { wanted: ListenAddress; before: ListenAddress | null }

async function addressFor(kept: KeptHere, { wanted, before }: Wish): Promise<Result<ListenAddress>> {
  const isThere = before !== null && before.host === wanted.host
  if (isThere && (wanted.port === 0 || before.port === wanted.port)) return ok(before)
  const owner = wanted.port === 0 ? null : ownerOf(kept, wanted)
  return owner === null ? await probe(wanted) : failed(taken(wanted, `${owner} listens there already.`))
}

const ownerOf = (kept: KeptHere, { host, port }: ListenAddress): string | null =>
  placedIn(kept).find(({ place: { listening, preview } }) =>
    [listening, preview].some((address) => address !== null && isSame(address, { host, port })),
  )?.routes.service ?? null

export const isSame = (one: ListenAddress, other: ListenAddress): boolean =>
  one.host === other.host && one.port === other.port

/** HAProxy shares a port with whoever permits it, and would take half of the connections of another program. */
export function probe(address: ListenAddress): Promise<Result<ListenAddress>> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', (error: NodeJS.ErrnoException) =>
      resolve(failed(taken(address, `${error.code ?? error.message}.`, error.message))),
    )
    server.listen({ host: address.host, port: address.port, exclusive: true }, () => {
      const bound = server.address()
      const port = typeof bound === 'object' && bound !== null ? bound.port : address.port
      server.close(() => resolve(ok({ host: address.host, port })))
    })
  })
}

const taken = ({ host, port }: ListenAddress, why: string, cause?: string): Problem =>
  problem('LISTEN_FAILED', {
    message: `HAProxy cannot listen on ${host}:${port}: ${why} Nothing was changed.`,
    cause,
    remedy: 'Free the port, or choose another one (listen).',
    retryable: true,
  })
