import * as z from 'zod'
import { Problem } from '../../core/shared/problem.ts'
import { DoorAddress, FromFollower, ToFollower } from '../handover/messages.ts'
import { Limits } from '../limits.ts'
import { RoutesFile } from '../routes-file.ts'

const Refusal = z.object({
  status: z.int(),
  problem: Problem,
  retryAfterS: z.number().exactOptional(),
  keeps: z.boolean().exactOptional(),
})

/** What a worker begins with. */
export const Begin = z.object({
  kind: z.literal('begin'),
  boot: z.string(),
  file: RoutesFile,
  limits: Limits,
  trustForwarded: z.boolean(),
})
export type Begin = z.infer<typeof Begin>

/** From the process that leads. */
export const FromLead = z.discriminatedUnion('kind', [
  Begin,
  /** Comes with a socket: the one that was asked for. */
  z.object({ kind: z.literal('door'), at: DoorAddress }),
  /** Whether a request may come in; `null` when it may. */
  z.object({ kind: z.literal('admitted'), number: z.int(), refusal: Refusal.nullable() }),
  ToFollower,
  /** Other processes serve from now on. */
  z.object({ kind: z.literal('farewell') }),
  /** The service ends as a whole. */
  z.object({ kind: z.literal('stop') }),
])
export type FromLead = z.infer<typeof FromLead>

/** From a worker. */
export const FromWorker = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('here'), version: z.string() }),
  /** It listens at an address and needs the socket. */
  z.object({ kind: z.literal('wants'), at: DoorAddress }),
  /** All routes that it began with are in force. */
  z.object({ kind: z.literal('ready') }),
  /** A request to a service with limits: may it come in? */
  z.object({ kind: z.literal('enter'), number: z.int(), service: z.string() }),
  /** A request that was let in is over. */
  z.object({ kind: z.literal('left'), number: z.int() }),
  /** Bugs that it met and survived, since it started. */
  z.object({ kind: z.literal('bugs'), total: z.int().nonnegative() }),
  FromFollower,
])
export type FromWorker = z.infer<typeof FromWorker>
