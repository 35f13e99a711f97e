import * as z from 'zod'
import { FencingToken } from './token.ts'

/** How an instance is asked whether it can take traffic. Redirects are not followed: they are an answer, not health. */
export const HealthProbe = z.object({
  path: z.string().startsWith('/'),
  intervalMs: z.int().positive(),
  timeoutMs: z.int().positive(),
  /** Consecutive successes until ready. */
  successes: z.int().positive(),
  /** Consecutive failures until a ready instance counts as unready. */
  failures: z.int().positive(),
  /** An instance that is not ready this long after its start has failed. */
  deadlineMs: z.int().positive(),
})
export type HealthProbe = z.infer<typeof HealthProbe>

/**
 * Everything the host agent needs to run one release, with no secret value in it.
 * `{{port}}` in `command` and `env` is replaced per instance; `PORT` and `SLUICE_VERSION` are always set.
 */
export const SetSpec = z.object({
  service: z.string(),
  release: z.string(),
  version: z.string(),
  command: z.array(z.string()).min(1),
  /** Absolute folder of the read-only artifact, the working directory of the instances. */
  folder: z.string(),
  env: z.record(z.string(), z.string()),
  /** Names only: the agent resolves them where the instance starts. */
  secrets: z.array(z.string()),
  health: HealthProbe,
  /** Between SIGTERM and SIGKILL. */
  stopGraceMs: z.int().nonnegative(),
})
export type SetSpec = z.infer<typeof SetSpec>

/** "This many instances of this release, please": absolute, repeatable, fenced. Zero stops them all. */
export const SetRequest = z.object({ token: FencingToken, spec: SetSpec, replicas: z.int().min(0).max(1000) })
export type SetRequest = z.infer<typeof SetRequest>
