import { constants } from 'node:os'
import type { ExitStatus } from '../../core/shared/instance.ts'
import type { SetSpec } from '../../core/shared/set-spec.ts'
import { endedByUs } from '../ended-by-us.ts'
import type { ErrorReader } from '../error-reader.ts'
import { exitStatus, saysAddressInUse, unknownExit } from '../exit-cause.ts'
import type { InstanceLedger } from '../instance-ledger.ts'
import { isOver } from '../instance-life.ts'
import type { InstanceRecord, ProcessIdentity } from '../instance-record.ts'
import { capLog, LOG_CAP_BYTES, logPath, sizeOf, writtenSince } from '../log-file.ts'
import { findFreePort } from '../ports.ts'
import type { Secrets } from '../secrets.ts'
import type { SetRegistry } from '../set-registry.ts'
import { newWatch } from '../watch.ts'
import type { Workload } from '../workload.ts'
import { oomCounterOf, readOomKills } from './cgroup.ts'
import {
  descendantsOf,
  familyOf,
  INSTANCE_VARIABLE,
  isAlive,
  type ProcessRow,
  startedAs,
  startVariable,
  survivesSignal,
} from './process-table.ts'
import { type HowItEnded, sendSignal, startProcess } from './start-process.ts'

type ProcessParts = {
  registry: SetRegistry
  ledger: InstanceLedger
  errors: ErrorReader
  secrets: Secrets
  logFolder: string
  agentEnv: NodeJS.ProcessEnv
}

/** Instances as processes of this host, each in a session and group of its own. */
export class ProcessRunner implements Workload {
  readonly #parts: ProcessParts
  /** Starts happen one after the other, so that no port is chosen twice. */
  #starts: Promise<void> = Promise.resolve()
  #closed = false

  constructor(parts: ProcessParts) {
    this.#parts = parts
  }

  /** Queues it. */
  start(id: string, spec: SetSpec): Promise<void> {
    const begun = this.#starts.then(() => this.#startNow(id, spec))
    this.#starts = begun.catch(() => {})
    return begun
  }

  /** No further start begins; resolves when the one under way is recorded. */
  close(): Promise<void> {
    this.#closed = true
    return this.#starts
  }

  /** Only those that handle the signal get it: it would end the others in the middle of their work. */
  sendQuiesce(record: InstanceRecord, signal: NodeJS.Signals): void {
    const number = constants.signals[signal]
    for (const { pid } of record.process === null ? [] : familyOf(record.process))
      if (process.platform !== 'linux' || survivesSignal(pid, number)) sendSignal(pid, signal)
    this.#parts.ledger.apply(record.id, { kind: 'quiesced', at: Date.now() })
  }

  sendTerm(record: InstanceRecord): void {
    if (record.process !== null) {
      if (record.adopted) signalIfAlive(record.process, 'SIGTERM')
      else signalFamily(record.process, 'SIGTERM')
    }
    this.#parts.ledger.apply(record.id, { kind: 'term-sent', at: Date.now() })
  }

  sendKill(record: InstanceRecord): void {
    if (record.process !== null) {
      if (!record.adopted) signalFamily(record.process, 'SIGKILL')
      else if (isAlive(record.process)) signalAll(descendantsOf(record.process.pid), 'SIGKILL')
    }
    this.#parts.ledger.apply(record.id, { kind: 'kill-sent', at: Date.now() })
  }

  /** Asks all processes of an instance to take no new work; those that would die of the signal are left alone. */
  quiesce(record: InstanceRecord): void {
    if (record.process === null || isOver(record)) return
    const rows = record.adopted ? [] : familyOf(record.process)
    const leader = isAlive(record.process) ? [record.process] : []
    for (const { pid } of rows.length > 0 ? rows : leader) {
      if (process.platform !== 'linux' || survivesSignal(pid, constants.signals.SIGUSR1))
        sendSignal(pid, 'SIGUSR1')
    }
  }

  checkGone(record: InstanceRecord, rows: () => readonly ProcessRow[]): void {
    const watch = this.#parts.ledger.watch(record.id)
    if (watch.starting || watch.childRunning) return
    if (record.process !== null && this.#isAnyoneLeft(record, record.process, rows)) return
    if (record.process === null) this.#killLeftovers(record.id)
    const at = Date.now()
    if (
      record.process !== null &&
      (record.lastExit?.at ?? 0) < (record.termSentAt ?? record.quiescedAt ?? at)
    ) {
      const exit = exitStatus({ code: null, signal: null, at, endedByUs: 'stopped-by-us', oomCounted: false })
      this.#parts.ledger.apply(record.id, { kind: 'exited', at, exit, addressInUse: false })
    }
    this.#parts.ledger.apply(record.id, { kind: 'group-empty', at })
  }

  forget(): void {}

  /** Those that are not our children end without a word. */
  noticeEnd(record: InstanceRecord): void {
    if (record.process === null || isOver(record) || this.#parts.ledger.watch(record.id).childRunning) return
    if (isAlive(record.process)) return
    const at = Date.now()
    this.#parts.ledger.watch(record.id).lastLeader = record.process
    this.#ended(record, { ...unknownExit(at), cause: endedByUs(record) ?? 'unknown' })
  }

  /** Once a second: caps the log and reads what the kernel counts. */
  keepHouse(record: InstanceRecord): void {
    if (record.adopted || record.process === null) return
    const capped = capLog(logPath(this.#parts.logFolder, record.id), LOG_CAP_BYTES)
    if (capped !== null) this.#parts.errors.capped(record, capped)
    const watch = this.#parts.ledger.watch(record.id)
    const counter = oomCounterOf(record.process.pid)
    if (counter !== null && watch.oom?.counter !== counter)
      watch.oom = { counter, kills: readOomKills(counter) ?? 0 }
  }

  async #startNow(id: string, spec: SetSpec): Promise<void> {
    const { registry, ledger, secrets, logFolder, agentEnv } = this.#parts
    const record = registry.findInstance(id)
    if (this.#closed || record === undefined || isOver(record)) return
    this.#killLeftovers(id)
    const values = secrets.resolve(spec.secrets)
    if (values.kind === 'failed') {
      const { code, message } = values.problem
      return ledger.startFailed(id, `${code}: ${message}`, true)
    }
    const port = await findFreePort(record.port, this.#takenPorts(id))
    this.#parts.ledger.apply(id, { kind: 'spawning', at: Date.now(), port })
    // The intent is on the disk before the process exists: whoever finds it can look for the process by its id.
    registry.save()
    if (isOver(registry.findInstance(id) ?? record)) return
    const logFile = logPath(logFolder, id)
    const watch = this.#parts.ledger.watch(id)
    Object.assign(watch, {
      logStart: sizeOf(logFile),
      nextProbeAt: 0,
      nextLiveAt: 0,
      oom: null,
      wrongPort: newWatch().wrongPort,
    })
    const started = await startProcess({ spec, instance: id, port, secrets: values.value, logFile, agentEnv })
    if (started.kind === 'failed') return ledger.startFailed(id, secrets.redact(started.message), false)
    Object.assign(watch, { childRunning: true, lastLeader: started.process })
    this.#parts.ledger.apply(id, { kind: 'spawned', at: Date.now(), process: started.process })
    void started.exited.then((how) => this.#childExited(id, how))
    this.#parts.ledger.saveNow()
  }

  #childExited(id: string, { code, signal }: HowItEnded): void {
    const watch = this.#parts.ledger.watch(id)
    watch.childRunning = false
    const record = this.#parts.registry.findInstance(id)
    if (record === undefined) return
    const oomCounted = watch.oom !== null && (readOomKills(watch.oom.counter) ?? 0) > watch.oom.kills
    this.#ended(
      record,
      exitStatus({ code, signal, at: Date.now(), endedByUs: endedByUs(record), oomCounted }),
    )
    this.#parts.ledger.saveNow()
  }

  #ended(record: InstanceRecord, exit: ExitStatus): void {
    const { logFolder } = this.#parts
    const said = writtenSince(logPath(logFolder, record.id), this.#parts.ledger.watch(record.id).logStart)
    const addressInUse = record.readyAt === null && saysAddressInUse(said)
    this.#parts.ledger.apply(record.id, { kind: 'exited', at: exit.at, exit, addressInUse })
    // Workers that outlived their crashed leader are asked to leave now, and killed before the next start.
    if (!isOver(record) && !record.adopted && record.process !== null) signalFamily(record.process, 'SIGTERM')
  }

  #killLeftovers(id: string): void {
    const { lastLeader } = this.#parts.ledger.watch(id)
    if (lastLeader === null) return
    // Much time may have passed since: the number alone is no proof that a process belongs to this instance.
    const left = familyOf(lastLeader).filter((row) => startVariable(row.pid, INSTANCE_VARIABLE) === id)
    signalAll(left, 'SIGKILL')
  }

  #takenPorts(except: string): Set<number> {
    const others = this.#parts.registry
      .instances()
      .filter((other) => other.id !== except && other.state !== 'gone')
    return new Set(others.map((other) => other.port))
  }

  #isAnyoneLeft(record: InstanceRecord, leader: ProcessIdentity, rows: () => readonly ProcessRow[]): boolean {
    return record.adopted ? isAlive(leader) : familyOf(leader, rows()).length > 0
  }
}

function signalFamily(leader: ProcessIdentity, signal: NodeJS.Signals): void {
  signalAll(familyOf(leader), signal)
}

function signalAll(rows: readonly ProcessRow[], signal: NodeJS.Signals): void {
  for (const row of rows) sendSignal(row.pid, signal)
}

function signalIfAlive(identity: ProcessIdentity, signal: NodeJS.Signals): void {
  if (isAlive(identity)) sendSignal(identity.pid, signal)
}

/** Ends what an instance left behind while no agent watched: only processes that carry its id. */
export function killStrays(instance: string): void {
  signalAll(startedAs(instance), 'SIGKILL')
}
