import * as z from 'zod'
import { ContainerSpec } from './container-spec.ts'
import { HealthCheck, LiveProbe, NamedCheck, StartProbe } from './health-check.ts'
import { FencingToken } from './token.ts'

const phases = {
  intervalMs: z.int().positive(),
  timeoutMs: z.int().positive(),
  /** Consecutive successes until ready. */
  successes: z.int().positive(),
  /** Consecutive failures until a ready instance counts as unready. */
  failures: z.int().positive(),
  /** An instance that is not ready this long after its start (`start`: after it has booted) has failed. */
  deadlineMs: z.int().positive(),
  /** Absent: it is asked whether it is ready from the beginning. */
  start: StartProbe.exactOptional(),
  /** Absent: an instance is restarted only when it ends. */
  live: LiveProbe.exactOptional(),
  checks: z.array(NamedCheck).exactOptional(),
}

/**
 * How an instance is asked whether it can take traffic. Redirects are not followed: they are an answer, not health.
 * A path stands by itself, since that is how releases of old are recorded.
 */
export const HealthProbe = z.union([
  z.object({ path: z.string().startsWith('/'), ...phases }),
  z.object({ check: HealthCheck, ...phases }),
])
export type HealthProbe = z.infer<typeof HealthProbe>

/** All that a new instance may take, its boot included. */
export const readyWithinMs = ({ start, deadlineMs }: Pick<HealthProbe, 'start' | 'deadlineMs'>): number =>
  (start?.deadlineMs ?? 0) + deadlineMs

export const readyCheckOf = (probe: HealthProbe): HealthCheck =>
  'path' in probe ? { kind: 'http', path: probe.path } : probe.check

export const QuiesceSignal = z.enum([
  'SIGUSR1',
  'SIGUSR2',
  'SIGTSTP',
  'SIGQUIT',
  'SIGINT',
  'SIGHUP',
  'SIGWINCH',
])
const given = { graceMs: z.int().nonnegative() }

/**
 * How a worker is told to take no new work, and how long it may go on with what it has before it is stopped: by a signal, or
 * by a program that runs beside it. Where the program fails nobody knows whether it was told, and it is stopped at once.
 */
export const Quiesce = z.union([
  z.object({ signal: QuiesceSignal, ...given }),
  z.object({ command: z.array(z.string()).min(1), timeoutMs: z.int().positive(), ...given }),
])
export type Quiesce = z.infer<typeof Quiesce>

/**
 * Everything the host agent needs to run one release, with no secret value in it.
 * `{{port}}` in `command` and `env` is replaced per instance; `PORT` and `SLUICE_VERSION` are always set.
 */
export const SetSpec = z.object({
  service: z.string(),
  release: z.string(),
  version: z.string(),
  /** Empty only in a container: what the image says is run. */
  command: z.array(z.string()),
  /** Absolute folder of the read-only artifact, the working directory of the instances; empty with a container. */
  folder: z.string(),
  /** Absent: a process of the host. */
  container: ContainerSpec.exactOptional(),
  env: z.record(z.string(), z.string()),
  /** Names only: the agent resolves them where the instance starts. */
  secrets: z.array(z.string()),
  health: HealthProbe,
  /** Between SIGTERM and SIGKILL. */
  stopGraceMs: z.int().nonnegative(),
  /** Before SIGTERM. */
  quiesce: Quiesce.exactOptional(),
})
export type SetSpec = z.infer<typeof SetSpec>

/**
 * "This many instances of this release, please": absolute, repeatable, fenced. Zero stops them all. Those that are named in
 * `without` stop and do not count: that is how whoever asks decides which of them leave.
 */
export const SetRequest = z.object({
  token: FencingToken,
  spec: SetSpec,
  replicas: z.int().min(0).max(1000),
  without: z.array(z.string()).exactOptional(),
})
export type SetRequest = z.infer<typeof SetRequest>
