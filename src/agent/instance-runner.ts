import type { SetSpec } from '../core/shared/set-spec.ts'
import type { InstanceLedger } from './instance-ledger.ts'
import type { LifeEvent } from './instance-life.ts'
import { type InstanceRecord, isContained } from './instance-record.ts'
import type { ProcessRow } from './processes/process-table.ts'
import type { SetRegistry } from './set-registry.ts'
import type { Watch } from './watch.ts'
import type { Workload } from './workload.ts'

export type RunnerParts = {
  registry: SetRegistry
  ledger: InstanceLedger
  processes: Workload
  containers: Workload
}

/** Hands what the supervisor decided to whoever runs this instance. */
export class InstanceRunner {
  readonly #parts: RunnerParts

  constructor(parts: RunnerParts) {
    this.#parts = parts
  }

  apply(id: string, event: LifeEvent): void {
    this.#parts.ledger.apply(id, event)
  }
  watch(id: string): Watch {
    return this.#parts.ledger.watch(id)
  }

  /** Begins a start; the record stays as it is until its turn comes. */
  spawn(record: InstanceRecord, spec: SetSpec): void {
    const { ledger } = this.#parts
    const watch = ledger.watch(record.id)
    if (watch.starting) return
    watch.starting = true
    void this.#of(record)
      .start(record.id, spec)
      .catch((error) => ledger.startFailed(record.id, `could not start: ${String(error)}`, false))
      .finally(() => {
        watch.starting = false
      })
  }

  sendQuiesce(record: InstanceRecord, signal: NodeJS.Signals): void {
    this.#of(record).sendQuiesce(record, signal)
  }
  sendTerm(record: InstanceRecord): void {
    this.#of(record).sendTerm(record)
  }
  sendKill(record: InstanceRecord): void {
    this.#of(record).sendKill(record)
  }
  quiesce(record: InstanceRecord): void {
    this.#of(record).quiesce(record)
  }
  checkGone(record: InstanceRecord, rows: () => readonly ProcessRow[]): void {
    this.#of(record).checkGone(record, rows)
  }
  noticeEnd(record: InstanceRecord): void {
    this.#of(record).noticeEnd(record)
  }
  keepHouse(record: InstanceRecord): void {
    this.#of(record).keepHouse(record)
  }

  forget(record: InstanceRecord): void {
    this.#of(record).forget(record.id)
    this.#parts.ledger.forget(record.id)
  }

  async close(): Promise<void> {
    await Promise.all([this.#parts.processes.close(), this.#parts.containers.close()])
  }

  #of(record: InstanceRecord): Workload {
    const { registry, processes, containers } = this.#parts
    return isContained(record, registry.findSet(record)?.spec) ? containers : processes
  }
}
