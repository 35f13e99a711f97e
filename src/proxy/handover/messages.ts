import * as z from 'zod'
import { ListenAddress } from '../../core/shared/listen-address.ts'
import { Problem } from '../../core/shared/problem.ts'
import { InstanceTraffic, ShownCertificate } from '../../core/shared/router-state.ts'
import { ServiceRoutes } from '../../core/shared/routes.ts'
import { FencingToken } from '../../core/shared/token.ts'
import { ServiceCounts } from '../../core/shared/traffic-counts.ts'

/** Changes whenever two programs that speak it would misunderstand each other. */
export const PROTOCOL = 1

/** Who serves from now on. */
export type HandedOver = { pid: number; version: string }

/** By release, what is in the metrics alone: since the process started. */
export const MetricSums = z.record(
  z.string(),
  z.object({ latencySumMs: z.number().nonnegative(), ejections: z.int().nonnegative() }),
)
export type MetricSums = z.infer<typeof MetricSums>

/** What a process shows to the clients of a service over TLS, and since when. */
export const HeldCertificate = z.object({
  fingerprint: z.string(),
  since: z.number(),
  shown: ShownCertificate,
})
export type HeldCertificate = z.infer<typeof HeldCertificate>

/** What a process did and does for its services. Absolute: of each service, the newest one replaces all before. */
export const Report = z.object({
  /** Processes before it that are not gone yet. */
  elders: z.int().nonnegative(),
  services: z.record(
    z.string(),
    z.object({
      /** `null` of a service that has no routes any more and only ends what it has. */
      counts: ServiceCounts.nullable(),
      instances: z.array(InstanceTraffic),
      limited: z.object({ requests: z.int().nonnegative(), rate: z.int().nonnegative() }).nullable(),
      /** Older versions do not tell them. */
      sums: MetricSums.default({}),
      /** Absent without TLS. Older versions do not tell it. */
      certificate: HeldCertificate.exactOptional(),
    }),
  ),
})
export type Report = z.infer<typeof Report>

/** A change of the table that other processes that serve by it must follow, too. */
export const Change = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('routes'),
    routes: ServiceRoutes,
    /** The address in force, where the system chose the port. Older versions do not tell it. */
    listening: ListenAddress.exactOptional(),
  }),
  z.object({ kind: z.literal('revert'), service: z.string(), at: z.number() }),
  z.object({ kind: z.literal('finalize'), service: z.string(), token: FencingToken }),
  /** Nothing changes: the numbers of the service as of now are asked for. Workers alone know it. */
  z.object({ kind: z.literal('look'), service: z.string() }),
])
export type Change = z.infer<typeof Change>

export const DoorAddress = z.object({ host: z.string(), port: z.int() })
export type DoorAddress = z.infer<typeof DoorAddress>

const Told = z.object({ kind: z.literal('report'), report: Report })
const Followed = z.object({ kind: z.literal('followed'), number: z.int(), report: Report })
/** What every process says that serves by the routes of another one. */
export const FromFollower = z.discriminatedUnion('kind', [Told, Followed])
export type FromFollower = z.infer<typeof FromFollower>

const Changed = z.object({ kind: z.literal('change'), number: z.int(), change: Change })
/** Silent connections are not waited for any more. */
const Leave = z.object({ kind: z.literal('leave') })
/** What every process is told that serves by the routes of another one. */
export const ToFollower = z.discriminatedUnion('kind', [Changed, Leave])
export type ToFollower = z.infer<typeof ToFollower>

/** From the process that served until now. */
export const FromElder = z.discriminatedUnion('kind', [
  /** The table stands still from here on: read it, and make everything ready. */
  z.object({
    kind: z.literal('begin'),
    pid: z.int(),
    boot: z.string(),
    doors: z.array(DoorAddress),
    silentMs: z.number(),
  }),
  /** Comes with a socket. */
  z.object({ kind: z.literal('lock') }),
  /** Comes with a socket. */
  z.object({ kind: z.literal('door'), at: DoorAddress }),
  /** All sockets are there, and nobody is told anything about the counters any more: serve. */
  z.object({ kind: z.literal('take'), report: Report }),
  /** It is done: from here on the table is yours. */
  z.object({ kind: z.literal('released') }),
  /** Of services about which something is new. */
  Told,
  Followed,
])
export type FromElder = z.infer<typeof FromElder>

/** From the process that was started to serve from now on. */
export const FromHeir = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('here'), protocol: z.literal(PROTOCOL), version: z.string() }),
  z.object({ kind: z.literal('prepared') }),
  z.object({ kind: z.literal('serving') }),
  z.object({ kind: z.literal('failed'), problem: Problem }),
  Changed,
  /** The service ends as a whole. */
  Leave,
])
export type FromHeir = z.infer<typeof FromHeir>
