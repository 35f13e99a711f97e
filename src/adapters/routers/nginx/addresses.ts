import { entryConflict } from '../../../core/shared/entry.ts'
import type { ListenAddress } from '../../../core/shared/listen-address.ts'
import type { Problem } from '../../../core/shared/problem.ts'
import { failed, ok, type Result } from '../../../core/shared/result.ts'
import { entryTaken, otherSpeech } from '../../../core/shared/route-problems.ts'
import type { ServiceRoutes } from '../../../core/shared/routes.ts'
import { entryOf } from '../../tools/fenced-routes.ts'
import type { NginxKept } from './kept.ts'
import { collide, takenBy, tryListen } from './listening.ts'
import type { Served } from './service.ts'

/** Who serves besides, as it is kept, and all that is in force now. */
export type Around = { others: readonly Served[]; before: readonly Served[] }

/** The port of a service, if it can take its traffic there. */
export async function portFor(routes: ServiceRoutes, { others, before }: Around): Promise<Result<number>> {
  const { service, listen } = routes
  const own = before.find((one) => one.routes.service === service) ?? null
  if (own !== null && isAt(own.routes.listen, listen)) {
    const refused = refusalAt(routes, own.listening, { others, before })
    return refused === null ? ok(own.listening.port) : failed(refused)
  }
  const refused = listen.port === 0 ? null : refusalAt(routes, listen, { others, before })
  if (refused !== null) return failed(refused)
  // nginx holds it already: nobody else can.
  if (before.some(({ listening }) => isAt(listening, listen))) return ok(listen.port)
  return await tryListen(listen)
}

/** The same rules as at a door of the built-in proxy (`src/proxy/entrance.ts`). */
function refusalAt(routes: ServiceRoutes, at: ListenAddress, { others, before }: Around): Problem | null {
  const text = `${at.host}:${at.port}`
  const isSecure = routes.tls !== undefined
  const here = [...before, ...others].filter(({ listening }) => isAt(listening, at))
  if (here.some((one) => (one.routes.tls !== undefined) !== isSecure)) return otherSpeech(text, !isSecure)
  for (const { routes: other, listening, preview } of others) {
    if (preview !== null && collide(preview, at)) return takenBy(at, other.service)
    if (!collide(listening, at)) continue
    if (!isAt(listening, at)) return takenBy(at, other.service)
    const why = entryConflict(routes, other)
    if (why !== null) return entryTaken(routes.service, { other: other.service, why, address: text })
  }
  return null
}

const isAt = (one: ListenAddress, other: ListenAddress): boolean =>
  one.host === other.host && one.port === other.port

/** A preview whose port is taken is told, and opened once it is free. */
export async function reopened(kept: NginxKept): Promise<NginxKept> {
  const shut = { ...kept.own.shut }
  for (const service of Object.keys(shut)) {
    const preview = entryOf(kept.services, service)?.preview ?? null
    if (preview === null || (await tryListen(preview.listen)).kind === 'ok') delete shut[service]
  }
  return { ...kept, own: { ...kept.own, shut } }
}

/** Why the preview of a service is not opened, by its name; empty where it can be. */
export async function shutPreview(
  { service, preview, listen }: ServiceRoutes,
  { others, before }: Around,
): Promise<Record<string, Problem>> {
  if (preview === null) return {}
  const now = before.find(({ routes }) => routes.service === service)?.preview ?? null
  if (now !== null && isAt(now, preview.listen)) return {}
  const other = others.find((one) =>
    [one.listening, one.preview].some((at) => at !== null && collide(at, preview.listen)),
  )
  if (other !== undefined) return { [service]: takenBy(preview.listen, other.routes.service) }
  if (collide(listen, preview.listen)) return { [service]: takenBy(preview.listen, service) }
  const tried = await tryListen(preview.listen)
  return tried.kind === 'ok' ? {} : { [service]: tried.problem }
}
