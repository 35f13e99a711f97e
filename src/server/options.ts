import type { ServiceView } from '../core/rollout/view/view.ts'
import type { Alert } from '../core/shared/alert.ts'
import type { Result } from '../core/shared/result.ts'
import type { AlertReceipt } from '../operations/hear-alerts.ts'
import type { Operation } from '../operations/operation.ts'
import type { Log } from '../ports/log.ts'

/** What the composition root hands to the server. The server knows no concrete operation. */
export type ServerOptions<Context> = {
  operations: readonly Operation<Context>[]
  context: Context
  /** Calls the listener on every change of one service (`shop.local`), or of all with `null`. */
  subscribe(stream: string | null, listener: (view: ServiceView) => void): () => void
  /** The present views; empty when the service is not known. */
  views(stream: string | null): Promise<ServiceView[]>
  /** Secret of the page and the API on TCP; at least 32 characters. */
  token: string
  /** The built page (`web/dist`). May be missing. */
  pageFolder: string
  version: string
  /** What the controller needs for its work, by name: `null` for what works, otherwise the code of what is wrong with it. */
  readiness(): Readonly<Record<string, string | null>>
  /** The numbers of one process as text, in the format that the `Accept` header prefers. */
  scrape(process: ScrapedProcess, accept: string): Promise<Result<Scrape>>
  /** Opens the numbers on TCP and nothing else; at least 32 characters. Without it the token of the API does. */
  scrapeToken?: string
  /** Takes what a monitoring system says to the services it is about. */
  hearAlerts(alerts: readonly Alert[]): Promise<Result<AlertReceipt>>
  /** Opens `/alerts` on TCP and nothing else; at least 32 characters. Without it the token of the API does. */
  alertToken?: string
  log: Log
  /** Recorded as the caller of the page and of token holders: who owns the token file. Default: the user of this process. */
  owner?: string
  /** Milliseconds since the epoch; tests bring their own. */
  now?: () => number
  limits?: Partial<ServerLimits>
}

export type ScrapedProcess = 'controller' | 'proxy' | 'agent'
export type Scrape = { contentType: string; text: string }

export type ServerLimits = {
  /** An operation that takes longer is answered with `OPERATION_TIMEOUT`; one that brings a release here gets more. */
  operationMs: number
  /** Comment line on an idle event stream, so that a dead connection is noticed. */
  heartbeatMs: number
  /** A client that takes nothing for so long is cut off. */
  stalledClientMs: number
  maxEventClients: number
}

export const DEFAULT_LIMITS: ServerLimits = {
  operationMs: 30_000,
  heartbeatMs: 10_000,
  stalledClientMs: 60_000,
  maxEventClients: 100,
}

/** The options with everything filled in. */
export type Settings<Context> = ServerOptions<Context> & {
  owner: string
  now: () => number
  limits: ServerLimits
}
