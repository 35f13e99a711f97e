import * as z from 'zod'
import { ExitStatus, Instance, ProbeFailure } from '../core/shared/instance.ts'
import type { SetSpec } from '../core/shared/set-spec.ts'

/** One process for certain: a pid alone may be given to another process later, together with its start time it is unique. */
export const ProcessIdentity = z.object({ pid: z.int().positive(), startTime: z.string() })
export type ProcessIdentity = z.infer<typeof ProcessIdentity>

/** One container for certain: a name may be given to another one later. */
export const ContainerIdentity = z.object({ id: z.string(), name: z.string() })
export type ContainerIdentity = z.infer<typeof ContainerIdentity>

/** Where processes of this machine are reached. */
const OWN_HOST = '127.0.0.1'

/**
 * All the agent knows about one instance; kept in agent.json, so that a new agent goes on where the old one was killed.
 * Changed only by `evolve` (instance-life.ts).
 */
export const InstanceRecord = z.object({
  id: z.string(),
  service: z.string(),
  release: z.string(),
  /** Started by somebody else and taken under control: it is never restarted, and only it is signalled, not its group. */
  adopted: z.boolean(),
  state: Instance.shape.state,
  /** Where it is reached. */
  host: z.string().default(OWN_HOST),
  /** 0 until the first start takes one, and for a container that nobody asks anything. */
  port: z.int().min(0).max(65535),
  /** What runs; in a container its first process, with the pid that it has on the engine's machine. */
  process: ProcessIdentity.nullable(),
  /** The newest one, also when it has ended; `null` for a process of the host. */
  container: ContainerIdentity.nullable().default(null),
  createdAt: z.number(),
  startedAt: z.number(),
  readyAt: z.number().nullable(),
  /** Once ready, an instance is restarted for ever; before that the readiness deadline ends it. */
  everReady: z.boolean(),
  crashes: z.int().nonnegative(),
  crashesInARow: z.int().nonnegative(),
  restartAt: z.number().nullable(),
  consecutiveSuccesses: z.int().nonnegative(),
  consecutiveProbeFailures: z.int().nonnegative(),
  consecutiveLiveFailures: z.int().nonnegative().default(0),
  /** Its liveness check failed too often: it waits for its turn to be restarted, and from `leftAt` on it leaves. */
  notLive: z.object({ message: z.string(), leftAt: z.number().nullable() }).nullable().default(null),
  lastProbeFailure: ProbeFailure.nullable(),
  lastExit: ExitStatus.nullable(),
  /** When it was told to take no new work. */
  quiescedAt: z.number().nullable().default(null),
  /** What came of the program that told it so; `null` while that runs, and where a signal did. */
  told: z.enum(['told', 'failed']).nullable().default(null),
  /** When the process passed the check of its start, where its release has one. */
  bootedAt: z.number().nullable().default(null),
  termSentAt: z.number().nullable(),
  killSentAt: z.number().nullable(),
  goneAt: z.number().nullable(),
})
export type InstanceRecord = z.infer<typeof InstanceRecord>

/** A new instance, before its first process: it waits in `starting` for the supervisor to spawn one. */
export function newInstance(request: {
  id: string
  service: string
  release: string
  at: number
}): InstanceRecord {
  return {
    id: request.id,
    service: request.service,
    release: request.release,
    adopted: false,
    state: 'starting',
    host: OWN_HOST,
    port: 0,
    process: null,
    container: null,
    createdAt: request.at,
    startedAt: request.at,
    readyAt: null,
    everReady: false,
    crashes: 0,
    crashesInARow: 0,
    restartAt: null,
    consecutiveSuccesses: 0,
    consecutiveProbeFailures: 0,
    consecutiveLiveFailures: 0,
    notLive: null,
    lastProbeFailure: null,
    lastExit: null,
    quiescedAt: null,
    told: null,
    bootedAt: null,
    termSentAt: null,
    killSentAt: null,
    goneAt: null,
  }
}

/** What serves already, and where. */
export type Serving = Pick<InstanceRecord, 'host' | 'port' | 'container'> & { process: ProcessIdentity }

/** Ready from the start, because adopting asks its health first. */
export function adoptedInstance(request: {
  id: string
  service: string
  release: string
  serving: Serving
  at: number
}): InstanceRecord {
  const { serving, at } = request
  return {
    ...newInstance(request),
    ...serving,
    adopted: true,
    state: 'ready',
    readyAt: at,
    everReady: true,
  }
}

/** Whether it is, or is to be, a container; `spec` is that of its set. */
export const isContained = (record: InstanceRecord, spec: SetSpec | null | undefined): boolean =>
  record.container !== null || (!record.adopted && spec?.container !== undefined)
