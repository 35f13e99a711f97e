import * as z from 'zod'

const Http = z.object({ kind: z.literal('http'), path: z.string().startsWith('/') })
/** The port of the instance takes a connection. */
const Tcp = z.object({ kind: z.literal('tcp') })
/** `grpc.health.v1.Health/Check` on the port of the instance; the empty name asks about the server as a whole. */
const Grpc = z.object({ kind: z.literal('grpc'), service: z.string() })
/** Ends with code 0, run in the folder and with the variables of the instance. */
const Command = z.object({ kind: z.literal('command'), command: z.array(z.string()).min(1) })
/** Nobody can ask it: it is well once it has run for so long, and for as long as it runs. */
const Runs = z.object({ kind: z.literal('runs'), forMs: z.int().positive() })
/** Somebody else's address takes a connection. */
const Address = z.object({ kind: z.literal('address'), host: z.string(), port: z.int().min(1).max(65535) })

/** One way to ask an instance how it is. */
export const HealthCheck = z.discriminatedUnion('kind', [Http, Tcp, Grpc, Command, Runs])
export type HealthCheck = z.infer<typeof HealthCheck>

/** Asked from the start of a process until it passes once; only then is it asked whether it is ready. */
export const StartProbe = z.object({
  check: HealthCheck,
  intervalMs: z.int().positive(),
  timeoutMs: z.int().positive(),
  /** It may boot for so long; the time to become ready comes after it. */
  deadlineMs: z.int().positive(),
})
export type StartProbe = z.infer<typeof StartProbe>

/** Asked once an instance has been ready: one that fails it again and again is restarted where it stands. */
export const LiveProbe = z.object({
  check: HealthCheck,
  intervalMs: z.int().positive(),
  timeoutMs: z.int().positive(),
  /** Consecutive failures until the instance is restarted. */
  failures: z.int().positive(),
})
export type LiveProbe = z.infer<typeof LiveProbe>

/** What a failing named check does to a rollout whose candidate fails it where stable does not. */
export const CheckTier = z.enum(['report', 'warning', 'critical'])
export type CheckTier = z.infer<typeof CheckTier>

/** Something that a release needs or does beside answering requests; looked at for as long as it runs. */
export const NamedCheck = z.object({
  name: z.string(),
  kind: z.enum(['dependency', 'job']),
  check: z.discriminatedUnion('kind', [Http, Grpc, Command, Address]),
  everyMs: z.int().positive(),
  timeoutMs: z.int().positive(),
  /** Consecutive failures until it counts as failing. */
  failures: z.int().positive(),
  onFailure: CheckTier,
})
export type NamedCheck = z.infer<typeof NamedCheck>

/** What is known of a named check on one instance. `unknown`: it was not asked often enough yet. */
export const CheckResult = z.object({
  name: z.string(),
  kind: NamedCheck.shape.kind,
  onFailure: CheckTier,
  state: z.enum(['unknown', 'passing', 'failing']),
  /** When it came into this state. */
  since: z.number(),
  /** Why it failed last: one sentence with the values; `null` when the last answer was good. */
  message: z.string().nullable(),
})
export type CheckResult = z.infer<typeof CheckResult>

/** The answer of one instance says nothing about another one; a connection or a program is the same for all of a release. */
export const isAskedOfEach = ({ check }: NamedCheck): boolean =>
  check.kind === 'http' || check.kind === 'grpc'
