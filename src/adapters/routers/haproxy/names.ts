import { createHash } from 'node:crypto'
import type { ListenAddress } from '../../../core/shared/listen-address.ts'
import type { RouteInstance } from '../../../core/shared/routes.ts'

/** Releases of one service that HAProxy can serve at a time without a reload; a reload makes more. */
export const FIRST_SLOTS = 6

/**
 * Names inside of HAProxy are hashes: those of services, releases and instances may be long, or hold anything.
 * 10 and 12 hex digits are unique among the few of one machine.
 */
const hash = (parts: readonly string[], digits: number): string =>
  createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, digits)

/** The frontend of a service, and the beginning of everything else of it. */
export const frontendOf = (service: string): string => `s${hash([service], 10)}`
export const previewOf = (service: string): string => `${frontendOf(service)}_preview`
export const mapOf = (service: string): string => `${frontendOf(service)}.map`
/** The files of its certificate: a link to the chain, and beside it one to the key (`.key`). */
export const certificateOf = (service: string): string => `${frontendOf(service)}.pem`
/** Who is in at this moment, for a limit of requests at the same time. */
export const insideOf = (service: string): string => `${frontendOf(service)}_inside`
/** An address that services share, or where not every request has a service. */
export const doorAt = ({ host, port }: ListenAddress): string => `d${hash([host, `${port}`], 10)}`
/** A backend for one release at a time. Releases come and go, backends stay: making one needs a reload. */
export const slotOf = (service: string, slot: number): string => `${frontendOf(service)}_${slot}`

/** An instance that came back elsewhere is another server. */
export const serverOf = (release: string, { id, host, port }: Omit<RouteInstance, 'state'>): string =>
  `i${hash([release, id, host, `${port}`], 12)}`
