import type { Result } from '../core/shared/result.ts'

/** The process that serves as the built-in proxy. */
export type ProxyInfo = {
  pid: number
  /** `null`: it is older than the versions that tell. */
  version: string | null
  /** Processes that it replaced and that still end what they have. */
  leaving: number
}

/** The built-in proxy as a program: which one runs, and how the installed one takes its place. */
export interface ProxyProgram {
  /** Version of the program that would be started. */
  readonly installed: string
  info(): Promise<Result<ProxyInfo>>
  /** The installed program serves when this resolves, and no request was lost on the way; else the old one serves on. */
  upgrade(): Promise<Result<{ pid: number; version: string }>>
}
