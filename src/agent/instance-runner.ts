import { constants } from 'node:os'
import type { ExitStatus } from '../core/shared/instance.ts'
import type { HealthProbe, SetSpec } from '../core/shared/set-spec.ts'
import { oomCounterOf, readOomKills } from './cgroup.ts'
import type { ErrorReader } from './error-reader.ts'
import { exitStatus, saysAddressInUse, unknownExit } from './exit-cause.ts'
import { healthOf } from './health-settings.ts'
import { isOver, type LifeEvent } from './instance-life.ts'
import { type HowItEnded, sendSignal, startProcess } from './instance-process.ts'
import type { InstanceRecord, ProcessIdentity } from './instance-record.ts'
import { capLog, LOG_CAP_BYTES, logPath, sizeOf, writtenSince } from './log-file.ts'
import { findFreePort } from './ports.ts'
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
import type { Secrets } from './secrets.ts'
import type { SetRegistry } from './set-registry.ts'
import { newWatch, type Watch } from './watch.ts'

export type RunnerParts = {
  registry: SetRegistry
  errors: ErrorReader
  secrets: Secrets
  logFolder: string
  agentEnv: NodeJS.ProcessEnv
}

/** Does to the processes of one instance what the supervisor decided, and reports what happened as life events. */
export class InstanceRunner {
  readonly #parts: RunnerParts
  readonly #watches = new Map<string, Watch>()
  /** Starts happen one after the other, so that no port is chosen twice. */
  #starts: Promise<void> = Promise.resolve()
  #closed = false

  constructor(parts: RunnerParts) {
    this.#parts = parts
  }

  apply(id: string, event: LifeEvent): void {
    const { registry } = this.#parts
    const record = registry.findInstance(id)
    if (record !== undefined) registry.apply(id, event, this.#health(record))
  }

  watch(id: string): Watch {
    const known = this.#watches.get(id)
    if (known !== undefined) return known
    const fresh = newWatch()
    this.#watches.set(id, fresh)
    return fresh
  }
  forget(id: string): void {
    this.#watches.delete(id)
  }

  /** Queues a start; the record stays as it is until its turn comes. */
  spawn(id: string, spec: SetSpec): void {
    const watch = this.watch(id)
    if (watch.starting) return
    watch.starting = true
    this.#starts = this.#starts
      .then(() => this.#spawnNow(id, spec))
      .catch((error) => this.#startFailed(id, `could not start: ${String(error)}`, false))
      .finally(() => {
        watch.starting = false
      })
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
    this.apply(record.id, { kind: 'quiesced', at: Date.now() })
  }

  sendTerm(record: InstanceRecord): void {
    if (record.process !== null) {
      if (record.adopted) signalIfAlive(record.process, 'SIGTERM')
      else signalFamily(record.process, 'SIGTERM')
    }
    this.apply(record.id, { kind: 'term-sent', at: Date.now() })
  }

  sendKill(record: InstanceRecord): void {
    if (record.process !== null) {
      if (!record.adopted) signalFamily(record.process, 'SIGKILL')
      else if (isAlive(record.process)) signalAll(descendantsOf(record.process.pid), 'SIGKILL')
    }
    this.apply(record.id, { kind: 'kill-sent', at: Date.now() })
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

  /** Ends the stop once nobody is left of the group and the exit status has come. */
  checkGroup(record: InstanceRecord, rows: () => readonly ProcessRow[]): void {
    const watch = this.watch(record.id)
    if (watch.starting || watch.childRunning) return
    if (record.process !== null && this.#isAnyoneLeft(record, record.process, rows)) return
    if (record.process === null) this.#killLeftovers(record.id)
    const at = Date.now()
    if (
      record.process !== null &&
      (record.lastExit?.at ?? 0) < (record.termSentAt ?? record.quiescedAt ?? at)
    ) {
      const exit = exitStatus({ code: null, signal: null, at, endedByUs: 'stopped-by-us', oomCounted: false })
      this.apply(record.id, { kind: 'exited', at, exit, addressInUse: false })
    }
    this.apply(record.id, { kind: 'group-empty', at })
  }

  /** For processes that are not our children: notices that one has ended. */
  noticeEnd(record: InstanceRecord): void {
    if (record.process === null || isOver(record) || this.watch(record.id).childRunning) return
    if (isAlive(record.process)) return
    const at = Date.now()
    this.watch(record.id).lastLeader = record.process
    this.#ended(record, { ...unknownExit(at), cause: endedByUs(record) ?? 'unknown' })
  }

  /** Once a second: caps the log and reads what the kernel counts. */
  keepHouse(record: InstanceRecord): void {
    if (record.adopted || record.process === null) return
    const capped = capLog(logPath(this.#parts.logFolder, record.id), LOG_CAP_BYTES)
    if (capped !== null) this.#parts.errors.capped(record, capped)
    const watch = this.watch(record.id)
    const counter = oomCounterOf(record.process.pid)
    if (counter !== null && watch.oom?.counter !== counter)
      watch.oom = { counter, kills: readOomKills(counter) ?? 0 }
  }

  async #spawnNow(id: string, spec: SetSpec): Promise<void> {
    const { registry, secrets, logFolder, agentEnv } = this.#parts
    const record = registry.findInstance(id)
    if (this.#closed || record === undefined || isOver(record)) return
    this.#killLeftovers(id)
    const values = secrets.resolve(spec.secrets)
    if (values.kind === 'failed') {
      const { code, message } = values.problem
      return this.#startFailed(id, `${code}: ${message}`, true)
    }
    const port = await findFreePort(record.port, this.#takenPorts(id))
    this.apply(id, { kind: 'spawning', at: Date.now(), port })
    // The intent is on the disk before the process exists: whoever finds it can look for the process by its id.
    registry.save()
    if (isOver(registry.findInstance(id) ?? record)) return
    const logFile = logPath(logFolder, id)
    const watch = this.watch(id)
    Object.assign(watch, {
      logStart: sizeOf(logFile),
      nextProbeAt: 0,
      nextLiveAt: 0,
      oom: null,
      wrongPort: newWatch().wrongPort,
    })
    const started = await startProcess({ spec, instance: id, port, secrets: values.value, logFile, agentEnv })
    if (started.kind === 'failed') return this.#startFailed(id, secrets.redact(started.message), false)
    Object.assign(watch, { childRunning: true, lastLeader: started.process })
    this.apply(id, { kind: 'spawned', at: Date.now(), process: started.process })
    void started.exited.then((how) => this.#childExited(id, how))
    this.#saveNow()
  }

  #startFailed(id: string, message: string, final: boolean): void {
    this.apply(id, { kind: 'spawn-failed', at: Date.now(), message, final })
  }

  #childExited(id: string, { code, signal }: HowItEnded): void {
    const watch = this.watch(id)
    watch.childRunning = false
    const record = this.#parts.registry.findInstance(id)
    if (record === undefined) return
    const oomCounted = watch.oom !== null && (readOomKills(watch.oom.counter) ?? 0) > watch.oom.kills
    this.#ended(
      record,
      exitStatus({ code, signal, at: Date.now(), endedByUs: endedByUs(record), oomCounted }),
    )
    this.#saveNow()
  }

  /** What has happened has happened, also when the disk is full: the loop saves again, and reports why it cannot. */
  #saveNow(): void {
    try {
      this.#parts.registry.save()
    } catch {
      // The registry stays marked as changed.
    }
  }

  #ended(record: InstanceRecord, exit: ExitStatus): void {
    const { logFolder } = this.#parts
    const said = writtenSince(logPath(logFolder, record.id), this.watch(record.id).logStart)
    const addressInUse = record.readyAt === null && saysAddressInUse(said)
    this.apply(record.id, { kind: 'exited', at: exit.at, exit, addressInUse })
    // Workers that outlived their crashed leader are asked to leave now, and killed before the next start.
    if (!isOver(record) && !record.adopted && record.process !== null) signalFamily(record.process, 'SIGTERM')
  }

  #killLeftovers(id: string): void {
    const { lastLeader } = this.watch(id)
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

  #health(record: InstanceRecord): HealthProbe {
    return healthOf(this.#parts.registry.findSet(record))
  }
}

/** Whether its end was our doing, and for what. */
const endedByUs = (record: InstanceRecord): 'stopped-by-us' | 'not-live' | null =>
  record.state === 'stopping' && (record.termSentAt ?? record.quiescedAt) !== null
    ? 'stopped-by-us'
    : record.termSentAt === null
      ? null
      : 'not-live'

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
