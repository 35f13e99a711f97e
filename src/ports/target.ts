import type { Finding } from '../core/shared/finding.ts'
import type { Instance } from '../core/shared/instance.ts'
import type { KeptImage } from '../core/shared/kept-image.ts'
import type { AdoptRequest, LogLine, Observation } from '../core/shared/observation.ts'
import type { Result } from '../core/shared/result.ts'
import type { SetRequest } from '../core/shared/set-spec.ts'
import type { FencingToken } from '../core/shared/token.ts'

/** Where instances run. Every change carries the fencing token and is absolute; a lower token is refused with `STALE_TOKEN`. */
export interface Target {
  readonly kind: string
  /** Makes sure that whatever runs the instances is there and answers (starts it where it is ours). Safe to repeat. */
  reconcile(): Promise<Result<void>>
  /** Makes the artifact of a version available and names its content: same bytes, same digest. Changes nothing that runs. */
  resolve(request: ResolveRequest): Promise<Result<ResolvedArtifact>>
  /**
   * Asks for `replicas` instances of a release, none of them named in `without`: those stop first, by name. Returns when accepted; progress shows in `observe`.
   */
  start(request: SetRequest): Promise<Result<void>>
  /**
   * What runs and what ended lately, for one service, all releases, the errors that the instances wrote where their
   * output can be read, and what they use where that can be measured. Asked several times a second. Fails with `TARGET_UNREACHABLE` when it cannot tell.
   */
  observe(service: string): Promise<Result<Observation>>
  /** Tells workers to take no new work (a signal). Services behind a router drain there instead. */
  quiesce(request: { token: FencingToken; service: string; release: string }): Promise<Result<void>>
  /** Stops all instances of a release: SIGTERM, grace, SIGKILL. Stopping what does not run is success. */
  stop(request: { token: FencingToken; service: string; release: string }): Promise<Result<void>>
  /** Takes a process that already serves on a port under control, without touching it. */
  adopt(request: AdoptRequest): Promise<Result<Instance>>
  /** Lets go of an adopted process again, unchanged and running. */
  release(request: { token: FencingToken; service: string; release: string }): Promise<Result<void>>
  /** Last lines written by the instances of a service, newest last, secrets redacted. */
  logs(request: { service: string; release?: string; lines: number }): Promise<Result<LogLine[]>>
  /** Digests of secrets under a key that never leaves the host, so that a changed secret is noticed and never shown. */
  secretVersions(names: readonly string[]): Promise<Result<Record<string, string>>>
  /** Removes artifacts that no kept digest needs; answers with what it removed. */
  prune(keep: readonly string[]): Promise<Result<string[]>>
  /** What is wrong with what the instances stand on, such as an engine; nothing where there is nothing to say. `kept`: what may have to start. */
  diagnose?(kept: readonly KeptImage[]): Promise<Result<Finding[]>>
}

/** `artifact`: where the files of a version are; `image`: the reference of a container image. Both may hold `{{version}}`. */
export type ResolveRequest = {
  artifact: string
  version: string
  kind?: 'files' | 'image'
  /** Absolute paths of files that are no part of it, though they may lie in its folder. */
  without?: readonly string[]
}
export type ResolvedArtifact = {
  digest: string
  folder: string
  bytes: number
  files: number
  /** What the engine is asked to run; absent for files. */
  image?: string
  warnings: string[]
}
export type { AdoptRequest, LogLine, Observation }
