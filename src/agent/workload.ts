import type { SetSpec } from '../core/shared/set-spec.ts'
import type { InstanceRecord } from './instance-record.ts'
import type { ProcessRow } from './processes/process-table.ts'

/**
 * What instances are made of: processes, or containers. Does to one instance what the supervisor decided, and reports what
 * came of it as life events. Nothing here throws for what the outside does; `start` may, and counts as a failed start then.
 */
export type Workload = {
  /** Resolves when the start is recorded, or has failed. Called again only after that. */
  start(id: string, spec: SetSpec): Promise<void>
  /** Only those that handle the signal get it: it would end the others in the middle of their work. */
  sendQuiesce(record: InstanceRecord, signal: NodeJS.Signals): void
  sendTerm(record: InstanceRecord): void
  sendKill(record: InstanceRecord): void
  /** Asks an instance to take no new work; one that would die of being asked is left alone. */
  quiesce(record: InstanceRecord): void
  /** Ends the stop once nothing is left of the instance and how it ended is known. */
  checkGone(record: InstanceRecord, rows: () => readonly ProcessRow[]): void
  /** Looks for the end of what nobody tells about. */
  noticeEnd(record: InstanceRecord): void
  /** Once a second. */
  keepHouse(record: InstanceRecord): void
  /** Nothing is left of the record. */
  forget(id: string): void
  /** No further start begins; resolves when those under way are recorded. */
  close(): Promise<void>
}
