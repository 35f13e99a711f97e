import * as z from 'zod'
import { Instance } from './instance.ts'
import { FencingToken } from './token.ts'

/** What runs and what ended lately for one service, as seen on the host at `at`. A new `boot` means the observer was restarted. */
export const Observation = z.object({
  at: z.number(),
  boot: z.string(),
  /** Highest token accepted for the service; `null` when none was ever seen. */
  highestToken: FencingToken.nullable(),
  instances: z.array(Instance),
})
export type Observation = z.infer<typeof Observation>

/** "This process already serves on that port: take it under control as it is." */
export const AdoptRequest = z.object({
  token: FencingToken,
  service: z.string(),
  release: z.string(),
  version: z.string(),
  port: z.int().min(1).max(65535),
  /** Found through the port where it is left out. */
  pid: z.int().positive().exactOptional(),
  healthPath: z.string().startsWith('/'),
})
export type AdoptRequest = z.infer<typeof AdoptRequest>

/** One line of output of one instance, secrets redacted. */
export const LogLine = z.object({ instance: z.string(), release: z.string(), line: z.string() })
export type LogLine = z.infer<typeof LogLine>
