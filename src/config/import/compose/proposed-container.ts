import type { NeedCheck } from './depends-on.ts'
import type { ServiceDraft } from './service.ts'

/** A service of the new file with its place among the others. */
export type ProposedContainer = ServiceDraft & {
  /** `host:port`; `null` for a worker. */
  listen: string | null
  network: string | null
  volumes: string[]
  checks: NeedCheck[]
}
