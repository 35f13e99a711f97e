import type { ProxyWorkers } from '../core/shared/proxy-workers.ts'
import type { Result } from '../core/shared/result.ts'

/** The process that serves as the built-in proxy. */
export type ProxyInfo = {
  pid: number
  /** `null`: it is older than the versions that tell. */
  version: string | null
  /** Processes that it replaced and that still end what they have. */
  leaving: number
  /** That shall serve together, and that do. */
  processes: { asked: number; serving: number }
}

/** The built-in proxy as a program: which one runs, and how the installed one takes its place. */
export interface ProxyProgram {
  /** Version of the program that would be started. */
  readonly installed: string
  info(): Promise<Result<ProxyInfo>>
  /** How many processes were asked for last. */
  readonly workers: ProxyWorkers
  /** So many are asked for from now on, whenever one is started. */
  keep(workers: ProxyWorkers): void
  processesFor(workers: ProxyWorkers): number
  /** The installed program serves when this resolves, and no request was lost on the way; else the old one serves on. */
  upgrade(workers: ProxyWorkers): Promise<Result<{ pid: number; version: string }>>
}
