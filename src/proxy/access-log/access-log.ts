import type { IncomingMessage } from 'node:http'
import type { AccessLogPolicy } from '../../core/shared/request-policy.ts'
import { TOTAL_PERMILLE } from '../../core/shared/weight.ts'
import type { Refusal } from '../refusal.ts'
import type { AccessFile } from './access-file.ts'
import { accessLine, type Ending } from './access-line.ts'

type AccessLogOptions = { service: string; file: AccessFile; trustForwarded: boolean }

/** The access log of one service: which requests get a line, and what it says. */
export class AccessLog {
  readonly service: string
  readonly file: AccessFile
  readonly trustForwarded: boolean
  policy: AccessLogPolicy
  /** Version of each release in the routes. */
  versions: ReadonlyMap<string, string> = new Map()

  constructor(policy: AccessLogPolicy, { service, file, trustForwarded }: AccessLogOptions) {
    this.policy = policy
    this.service = service
    this.file = file
    this.trustForwarded = trustForwarded
  }

  /** Whoever is told how this request ends; `null` where it is not in the sample. */
  entryOf(req: IncomingMessage): AccessEntry | null {
    const { sharePermille } = this.policy
    if (sharePermille < TOTAL_PERMILLE && Math.random() * TOTAL_PERMILLE >= sharePermille) return null
    return new AccessEntry(this, req)
  }
}

/** One request that gets a line, when it is over. */
export class AccessEntry {
  as: Ending['as'] = 'live'
  private readonly at = Date.now()
  private readonly startedAt = performance.now()
  private readonly log: AccessLog
  private readonly req: IncomingMessage

  constructor(log: AccessLog, req: IncomingMessage) {
    this.log = log
    this.req = req
  }

  /** It got as far as an instance. */
  visited(ending: Omit<Ending, 'version' | 'ms' | 'as'>): void {
    const { log, as, at } = this
    const { service, policy, trustForwarded } = log
    const version = ending.release === null ? null : (log.versions.get(ending.release) ?? null)
    const ms = performance.now() - this.startedAt
    const parts = { at, service, showsQuery: policy.query, trustForwarded }
    log.file.write(accessLine(this.req, { ...ending, version, ms, as }, parts))
  }

  /** No instance had it: the data plane answered by itself. */
  turnedAway({ status, problem }: Refusal, end: 'refused' | 'unreachable'): void {
    this.visited({ ...NOWHERE, status, end, code: problem.code })
  }
}

const NOWHERE = {
  release: null,
  instance: null,
  bytesIn: 0,
  bytesOut: 0,
  kind: null,
  isCopied: false,
} as const
