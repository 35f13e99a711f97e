import * as z from 'zod'
import { Ejection } from './ejection.ts'
import { CheckResult } from './health-check.ts'

/** Why a probe failed, named so that a person knows where to look. */
export const ProbeFailure = z.object({
  kind: z.enum([
    'refused',
    'dns',
    'tls',
    'redirect',
    'status',
    'slow',
    'reset',
    'wrong-port',
    'malformed',
    /** It answered that it is not well: gRPC health other than SERVING, a command with another exit code than 0. */
    'not-serving',
    'not-live',
    /** A worker could not be told to take no new work before it was stopped. */
    'not-told',
    /** It never ran, or cannot now: whoever should start it says why. */
    'not-started',
    'exited',
  ]),
  /** One sentence with the values: `GET http://127.0.0.1:41234/up answered 503: "warming up"`. */
  message: z.string(),
  at: z.number(),
})
export type ProbeFailure = z.infer<typeof ProbeFailure>

/** How a process ended, as far as the source can tell; OOM only where a cgroup says so. */
export const ExitStatus = z.object({
  code: z.int().nullable(),
  signal: z.string().nullable(),
  /** `not-live`: the agent ended it, because its liveness check failed. */
  cause: z.enum(['exited', 'stopped-by-us', 'not-live', 'killed-unknown', 'oom', 'unknown']),
  at: z.number(),
})
export type ExitStatus = z.infer<typeof ExitStatus>

/**
 * One running (or ended) copy of a release, as observed by the target.
 * `starting` -> `ready` <-> `unready` -> `stopping` -> `gone`; `crashed` waits for its back-off and starts again;
 * `failed` never became ready before its deadline (it is left running for inspection until the set is stopped).
 */
export const Instance = z.object({
  id: z.string(),
  service: z.string(),
  release: z.string(),
  state: z.enum(['starting', 'ready', 'unready', 'crashed', 'failed', 'stopping', 'gone']),
  host: z.string(),
  port: z.int(),
  pid: z.int().nullable(),
  startedAt: z.number(),
  readyAt: z.number().nullable(),
  /** Unplanned exits of this instance since its set was requested. */
  crashes: z.int().nonnegative(),
  consecutiveProbeFailures: z.int().nonnegative(),
  lastProbeFailure: ProbeFailure.nullable(),
  lastExit: ExitStatus.nullable(),
  /** Named checks of a ready instance; absent where its release has none. */
  checks: z.array(CheckResult).exactOptional(),
  /** As the router says. `alsoStable`: an instance of stable is out at the same time, so this says little about its version. */
  ejected: Ejection.extend({ alsoStable: z.boolean() }).exactOptional(),
  /** Last lines of its output, newest last, secrets redacted; filled only when the instance has a problem. */
  logTail: z.array(z.string()),
})
export type Instance = z.infer<typeof Instance>
