import * as z from 'zod'
import { TlsFiles } from '../../../core/shared/entry.ts'
import { ListenAddress } from '../../../core/shared/listen-address.ts'
import type { ServiceRoutes } from '../../../core/shared/routes.ts'
import { entryOf, type Kept } from '../../tools/fenced-routes.ts'
import { FIRST_SLOTS } from './names.ts'

/** Where a service is inside of HAProxy. */
const Place = z.strictObject({
  /** With the port that was chosen where 0 was asked for. */
  listening: ListenAddress,
  preview: ListenAddress.nullable(),
  /** Which release each backend serves. */
  slots: z.array(z.string().nullable()),
  /** The cookie that keeps users on their version. Once known it stays: the next release needs no reload for it. */
  cookie: z.string().nullable().default(null),
  /** What it speaks TLS with, and the names that its certificate is for. */
  tls: z
    .strictObject({ ...TlsFiles.shape, names: z.array(z.string()) })
    .nullable()
    .default(null),
})
export type Place = z.infer<typeof Place>

/** What is kept beside the routes. */
export const Own = z.object({
  places: z.record(z.string(), Place),
  /** The worker that was last brought to what is kept. */
  assertedPid: z.int().nullable(),
})
export type Own = z.infer<typeof Own>

export const NO_OWN: Own = { places: {}, assertedPid: null }
export type KeptHere = Kept<Own>

/** A service with its place. */
export type Placed = { routes: ServiceRoutes; place: Place }

export const placedIn = (kept: KeptHere): Placed[] =>
  Object.values(kept.services).flatMap((routes) => {
    const place = entryOf(kept.own.places, routes.service)
    return place === null ? [] : [{ routes, place }]
  })

export const placedOf = (kept: KeptHere, service: string): Placed | null => {
  const routes = entryOf(kept.services, service)
  const place = entryOf(kept.own.places, service)
  return routes === null || place === null ? null : { routes, place }
}

/**
 * A backend for each release. One that has a backend keeps it, and so does one that still drains there; a new release takes
 * a free one, and where there is none, there will be more.
 */
export function slotsFor(
  before: readonly (string | null)[],
  { releases, draining }: { releases: readonly string[]; draining: readonly string[] },
): (string | null)[] {
  const needed = new Set([...releases, ...draining])
  const seen = new Set<string>()
  const slots = before.map((release) => {
    if (release === null || !needed.has(release) || seen.has(release)) return null
    seen.add(release)
    return release
  })
  while (slots.length < FIRST_SLOTS) slots.push(null)
  for (const release of new Set(releases)) {
    if (seen.has(release)) continue
    seen.add(release)
    const free = slots.indexOf(null)
    if (free >= 0) slots[free] = release
    else slots.push(release)
  }
  return slots
}
