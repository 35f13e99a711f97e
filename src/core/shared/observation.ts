import * as z from 'zod'
import { ReleaseErrors } from './error-signature/report.ts'
import { HealthCheck } from './health-check.ts'
import { Instance } from './instance.ts'
import { ResourceUse } from './resource-use.ts'
import { FencingToken } from './token.ts'

/** What runs and what ended lately for one service, as seen on the host at `at`. A new `boot` means the observer was restarted. */
export const Observation = z.object({
  at: z.number(),
  boot: z.string(),
  /** Highest token accepted for the service; `null` when none was ever seen. */
  highestToken: FencingToken.nullable(),
  instances: z.array(Instance),
  /** Errors that the instances wrote, for each release whose output can be read; absent where none can. */
  errors: z.array(ReleaseErrors).exactOptional(),
  /** What the instances use; absent where the target cannot tell. Its counters begin anew with each `boot`. */
  use: ResourceUse.exactOptional(),
})
export type Observation = z.infer<typeof Observation>

/** As the host agent answers it: several times a second, so the errors are asked for only when their version is another one. */
export const AgentObservation = Observation.omit({ errors: true }).extend({
  /** Empty from an agent that does not read what its instances write. */
  errorsVersion: z.string().default(''),
})
export type AgentObservation = z.infer<typeof AgentObservation>

/** "This process or container already serves on that port: take it under control as it is." */
export const AdoptRequest = z.object({
  token: FencingToken,
  service: z.string(),
  release: z.string(),
  version: z.string(),
  port: z.int().min(1).max(65535),
  /** Found through the port where it is left out. */
  pid: z.int().positive().exactOptional(),
  /** Name or id of a container; where its port is not published, `port` is the one inside. */
  container: z.string().min(1).exactOptional(),
  healthPath: z.string().startsWith('/'),
  /** Where it is not asked by its path. */
  check: HealthCheck.exactOptional(),
})
export type AdoptRequest = z.infer<typeof AdoptRequest>

/** One line of output of one instance, secrets redacted. */
export const LogLine = z.object({ instance: z.string(), release: z.string(), line: z.string() })
export type LogLine = z.infer<typeof LogLine>
