import { createServer } from 'node:net'
import type { ListenAddress } from '../../../core/shared/listen-address.ts'
import { type Problem, problem } from '../../../core/shared/problem.ts'
import { failed, ok, type Result } from '../../../core/shared/result.ts'
import type { ServiceRoutes } from '../../../core/shared/routes.ts'
import { entryOf } from '../../tools/fenced-routes.ts'
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
  const listening = await addressFor(kept, { wanted: routes.listen, before: before?.listening ?? null })
  if (listening.kind === 'failed') return listening
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
  return ok({ listening: listening.value, preview: preview.value, slots, cookie })
}

type Wish = { wanted: ListenAddress; before: ListenAddress | null }

async function addressFor(kept: KeptHere, { wanted, before }: Wish): Promise<Result<ListenAddress>> {
  const isSame = before !== null && before.host === wanted.host
  if (isSame && (wanted.port === 0 || before.port === wanted.port)) return ok(before)
  const owner = wanted.port === 0 ? null : ownerOf(kept, wanted)
  return owner === null ? await probe(wanted) : failed(taken(wanted, `${owner} listens there already.`))
}

const ownerOf = (kept: KeptHere, { host, port }: ListenAddress): string | null =>
  placedIn(kept).find(({ place: { listening, preview } }) =>
    [listening, preview].some((address) => address?.host === host && address.port === port),
  )?.routes.service ?? null

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
