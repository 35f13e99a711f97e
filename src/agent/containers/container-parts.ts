import type { ContainerInspectInfo } from 'dockerode'
import type { Result } from '../../core/shared/result.ts'
import type { ErrorReader } from '../error-reader.ts'
import type { InstanceLedger } from '../instance-ledger.ts'
import type { InstanceRecord, ProcessIdentity } from '../instance-record.ts'
import { findProcess, readProc } from '../processes/process-table.ts'
import type { Secrets } from '../secrets.ts'
import type { SetRegistry } from '../set-registry.ts'
import type { Engine } from './engine.ts'
import type { ImageStore } from './images/image-store.ts'
import type { SecretFiles } from './secret-files.ts'

export type ContainerParts = {
  registry: SetRegistry
  ledger: InstanceLedger
  errors: ErrorReader
  secrets: Secrets
  secretFiles: SecretFiles
  engine: Engine
  images: Pick<ImageStore, 'bringBack'>
  /** Names the installation in labels. */
  agentFolder: string
  logFolder: string
  agentEnv: NodeJS.ProcessEnv
  report(error: unknown): void
}

/** A container takes about a second to start, and a busy engine longer. */
export const START_LIMIT_MS = 60_000

export const inspect = (engine: Engine, id: string, name: string): Promise<Result<ContainerInspectInfo>> =>
  engine.ask({ what: `look at container ${name}` }, (docker) => docker.getContainer(id).inspect())

/**
 * The first process of a container. On this machine it is named as any other process, so that its end is seen and its use
 * measured; a pid of another machine, or of a virtual one, goes with the time of its start.
 */
export function identityOf(
  engine: Engine,
  container: string,
  of: { pid: number; startedAt: string },
): ProcessIdentity {
  const isHere = engine.isLocal && (readProc(`${of.pid}/cgroup`) ?? '').includes(container)
  const row = isHere ? findProcess(of.pid) : null
  return { pid: of.pid, startTime: row?.startTime ?? of.startedAt }
}

/** Still the same container and the same run of it. */
export const isSameRun = (now: InstanceRecord | undefined, before: InstanceRecord): now is InstanceRecord =>
  now !== undefined &&
  now.container?.id === before.container?.id &&
  now.process?.pid === before.process?.pid &&
  now.process?.startTime === before.process?.startTime
