import { randomBytes } from 'node:crypto'
import { readyWithinMs, type SetSpec } from '../core/shared/set-spec.ts'
import type { SetRecord } from './agent-state.ts'
import type { ErrorReader } from './error-reader.ts'
import type { NamedChecks } from './health/named-checks.ts'
import type { Prober } from './health/prober.ts'
import { mayRestartNow } from './health/restart-turn.ts'
import { graceMsOf, healthOf, startDeadlineMsOf, stopGraceMsOf } from './health-settings.ts'
import { type InstanceRecord, newInstance } from './instance-record.ts'
import type { InstanceRunner } from './instance-runner.ts'
import { logPath, removeLog } from './log-file.ts'
import { nextStep } from './next-step.ts'
import { planSet } from './plan-set.ts'
import { allProcesses, type ProcessRow } from './processes/process-table.ts'
import type { QuiesceCommands } from './quiesce-command.ts'
import type { SetRegistry } from './set-registry.ts'
import type { UseSampler } from './use/use-sampler.ts'

/** Ten looks a second: a stop or a restart is never late by more than a person would notice. */
const TICK_MS = 100
const HOUSEKEEPING_MS = 1000

type SupervisorParts = {
  registry: SetRegistry
  runner: InstanceRunner
  prober: Prober
  quiesce: QuiesceCommands
  checks: NamedChecks
  errors: ErrorReader
  use: UseSampler
  logFolder: string
  report(error: unknown): void
}

/** The loop of the agent: compares what was asked with what is, and takes the next step for each instance. */
export class Supervisor {
  readonly #parts: SupervisorParts
  #timer: NodeJS.Timeout | undefined
  #houseKeptAt = 0
  #lookedAtMs = performance.now()

  constructor(parts: SupervisorParts) {
    this.#parts = parts
  }

  start(): void {
    const { registry, use } = this.#parts
    // Whoever asks first is told already.
    this.#guarded(() => use.turn(registry.instances(), Date.now()))
    this.#timer = setInterval(() => this.#guarded(() => this.tick(Date.now())), TICK_MS)
  }

  /** No further steps; instances run on. Resolves when the last start is recorded. */
  async stop(): Promise<void> {
    clearInterval(this.#timer)
    const { runner, registry, errors } = this.#parts
    await runner.close()
    registry.save()
    this.#guarded(() => errors.close(registry.instances(), Date.now()))
  }

  /** One look at everything. Also called when a request came, so that it is acted upon at once. */
  tick(now: number): void {
    const { registry, errors, use, checks } = this.#parts
    for (const set of registry.sets()) this.#plan(set, now)
    const rows = onceOnly(allProcesses)
    for (const record of registry.instances()) this.#guarded(() => this.#look(record, now, rows))
    if (now - this.#houseKeptAt >= HOUSEKEEPING_MS) this.#keepHouse(now)
    registry.save()
    this.#guarded(() => checks.turn(registry.instances(), now))
    this.#guarded(() => errors.turn(registry.instances(), now))
    this.#guarded(() => use.turn(registry.instances(), now))
    this.#lookedAtMs = performance.now()
  }

  /** Since the last look that came to its end. */
  lookAgeMs(): number {
    return performance.now() - this.#lookedAtMs
  }

  /** Trouble with one instance (a process of another user), or a full disk, must not end the care for the others. */
  #guarded(work: () => void): void {
    try {
      work()
    } catch (error) {
      this.#parts.report(error)
    }
  }

  #plan(set: SetRecord, at: number): void {
    const { registry, runner } = this.#parts
    const instances = registry.instancesOf(set)
    const plan = planSet(instances, set.replicas)
    for (const id of plan.stop) runner.apply(id, { kind: 'stop-asked', at })
    const starts = set.spec === null ? 0 : plan.start
    for (let count = 0; count < starts; count += 1) {
      registry.addInstance(newInstance({ ...set, id: nextId(set.service), at }))
    }
    const isEmpty = set.replicas === 0 && instances.every((instance) => instance.state === 'gone')
    if (isEmpty) registry.removeSet(set)
  }

  #look(before: InstanceRecord, now: number, rows: () => readonly ProcessRow[]): void {
    const { registry, runner, prober } = this.#parts
    runner.noticeEnd(before)
    const record = registry.findInstance(before.id) ?? before
    this.#step(record, now, rows)
    prober.turn(registry.findInstance(record.id) ?? record, now)
  }

  #step(record: InstanceRecord, now: number, rows: () => readonly ProcessRow[]): void {
    const { registry, runner } = this.#parts
    const set = registry.findSet(record)
    const { deadlineMs } = healthOf(set)
    const backWithinMs = readyWithinMs(healthOf(set))
    const mayRestart =
      record.notLive !== null &&
      mayRestartNow(record, registry.instancesOf(record), { now, deadlineMs: backWithinMs })
    const step = nextStep(record, {
      now,
      deadlineMs,
      startDeadlineMs: startDeadlineMsOf(set),
      stopGraceMs: stopGraceMsOf(set),
      graceMs: graceMsOf(set),
      tellAgain: this.#wasCutShort(record, set),
      mayRestart,
    })
    switch (step) {
      case 'none':
        break
      case 'spawn':
        if (set?.spec) runner.spawn(record, set.spec)
        break
      case 'fail':
        runner.apply(record.id, { kind: 'deadline-passed', at: now, deadlineMs })
        break
      case 'reset-back-off':
        runner.apply(record.id, { kind: 'steady', at: now })
        break
      case 'leave':
        runner.apply(record.id, { kind: 'live-given-up', at: now })
        break
      case 'send-quiesce':
        if (set?.spec) this.#quiesce(record, set.spec)
        break
      case 'send-term':
        runner.sendTerm(record)
        break
      case 'send-kill':
        runner.sendKill(record)
        break
      case 'check-gone':
        runner.checkGone(record, rows)
        break
      case 'forget':
        this.#forget(record)
        break
    }
  }

  #quiesce(record: InstanceRecord, spec: SetSpec): void {
    const { runner, quiesce } = this.#parts
    if (spec.quiesce === undefined) return
    if ('signal' in spec.quiesce) runner.sendQuiesce(record, spec.quiesce.signal)
    else quiesce.tell(record, spec, spec.quiesce)
  }

  /** The program that told it to take no new work ended with the agent before this one. */
  #wasCutShort(record: InstanceRecord, set: SetRecord | undefined): boolean {
    const how = set?.spec?.quiesce
    const isUnknown = record.quiescedAt !== null && record.told === null
    return how !== undefined && 'command' in how && isUnknown && !this.#parts.quiesce.isTelling(record)
  }

  #forget(record: InstanceRecord): void {
    const { registry, runner, logFolder } = this.#parts
    runner.forget(record)
    registry.removeInstance(record.id)
    removeLog(logPath(logFolder, record.id))
  }

  #keepHouse(now: number): void {
    this.#houseKeptAt = now
    const { registry, runner } = this.#parts
    for (const record of registry.instances()) this.#guarded(() => runner.keepHouse(record))
  }
}

/** Unguessable, so that a stray process can be recognised by it. */
export const nextId = (service: string): string => `${service}-${randomBytes(5).toString('hex')}`

function onceOnly<T>(compute: () => T): () => T {
  let value: { of: T } | undefined
  return () => {
    value ??= { of: compute() }
    return value.of
  }
}
