import type { StartProbe } from '../../core/shared/health-check.ts'
import type { ProbeFailure } from '../../core/shared/instance.ts'
import { readyCheckOf } from '../../core/shared/set-spec.ts'
import { healthOf } from '../health-settings.ts'
import { isAskedWhetherLive, isBooting, isProbed } from '../instance-life.ts'
import type { InstanceRecord } from '../instance-record.ts'
import type { InstanceRunner } from '../instance-runner.ts'
import type { ProbeAnswer } from '../probe.ts'
import { explainRefusal, explainRefusalInside } from '../processes/wrong-port.ts'
import type { SetRegistry } from '../set-registry.ts'
import type { Watch } from '../watch.ts'
import type { Asker, Question } from './asker.ts'

/** While nothing listens yet, asking costs nothing: sooner than the interval, so that a quick start is seen quickly. */
const ASK_AGAIN_WHEN_REFUSED_MS = 200
/** After that it is no quick start any more, and the interval will do. */
const HURRY_FOR_MS = 10_000
/** Looking for the true port walks /proc: not at every probe. */
const WRONG_PORT_EVERY_MS = 2000

export type ProberParts = {
  registry: SetRegistry
  runner: Pick<InstanceRunner, 'apply' | 'watch'>
  asker: Pick<Asker, 'ask'>
}

/** Asks instances whether they can take traffic, and whether they are alive; each answer arrives as a life event. */
export class Prober {
  readonly #parts: ProberParts

  constructor(parts: ProberParts) {
    this.#parts = parts
  }

  /** Starts what is due; at most one question of each kind is under way per instance. */
  turn(record: InstanceRecord, now: number): void {
    const watch = this.#parts.runner.watch(record.id)
    if (!isWell(record)) watch.connection.close()
    if (watch.starting) return
    if (isProbed(record) && !watch.probing && now >= watch.nextProbeAt) {
      watch.probing = true
      const { start } = healthOf(this.#parts.registry.findSet(record))
      const isFirst = start !== undefined && isBooting(record, { start })
      const asked = isFirst ? this.#askStart(record, watch, start) : this.#askReady(record, watch)
      void asked.finally(() => {
        watch.probing = false
      })
    }
    if (isAskedWhetherLive(record) && !watch.askingLive && now >= watch.nextLiveAt)
      this.#askLive(record, watch)
  }

  async #askReady(record: InstanceRecord, watch: Watch): Promise<void> {
    const { runner } = this.#parts
    const health = healthOf(this.#parts.registry.findSet(record))
    const { intervalMs, timeoutMs } = health
    const begun = Date.now()
    const check = readyCheckOf(health)
    // That is known beforehand: to ask earlier would be a failure that is none.
    if (check.kind === 'runs' && begun < record.startedAt + check.forMs) {
      watch.nextProbeAt = record.startedAt + check.forMs
      return
    }
    const answer = await this.#ask(record, {
      ...{ check, timeoutMs },
      ...(isWell(record) ? { connection: watch.connection } : {}),
    })
    const now = this.#sameProcess(record)
    if (now === null) return
    const refused = answer.kind === 'failed' && answer.failure.kind === 'refused'
    const hurry = refused && now.state === 'starting' && begun - now.startedAt < HURRY_FOR_MS
    watch.nextProbeAt = begun + (hurry ? Math.min(ASK_AGAIN_WHEN_REFUSED_MS, intervalMs) : intervalMs)
    if (answer.kind === 'passed') return runner.apply(record.id, { kind: 'probe-passed', at: Date.now() })
    const failure = isUnheard(answer.failure, record)
      ? this.#explain(record, watch, answer.failure)
      : whyOf(answer.failure, record, watch)
    runner.apply(record.id, { kind: 'probe-failed', at: failure.at, failure })
  }

  /** Nothing else is asked before it has started. */
  async #askStart(record: InstanceRecord, watch: Watch, start: StartProbe): Promise<void> {
    const { runner } = this.#parts
    const begun = Date.now()
    const answer = await this.#ask(record, start)
    if (this.#sameProcess(record) === null) return
    watch.nextProbeAt = begun + start.intervalMs
    if (answer.kind === 'failed')
      return runner.apply(record.id, { kind: 'start-failed', at: Date.now(), failure: answer.failure })
    watch.nextProbeAt = 0
    runner.apply(record.id, { kind: 'start-passed', at: Date.now() })
  }

  #askLive(record: InstanceRecord, watch: Watch): void {
    const { live } = healthOf(this.#parts.registry.findSet(record))
    if (live === undefined) return
    watch.askingLive = true
    watch.nextLiveAt = Date.now() + live.intervalMs
    void this.#ask(record, live)
      .then((answer) => {
        if (this.#sameProcess(record) === null) return
        const at = Date.now()
        this.#parts.runner.apply(
          record.id,
          answer.kind === 'passed'
            ? { kind: 'live-passed', at }
            : { kind: 'live-failed', at, failure: answer.failure },
        )
      })
      .finally(() => {
        watch.askingLive = false
      })
  }

  #ask(record: InstanceRecord, question: Question): Promise<ProbeAnswer> {
    const { registry, asker } = this.#parts
    return asker.ask(record, registry.findSet(record)?.spec ?? null, question)
  }

  /** An answer about a process that has been replaced meanwhile says nothing about the new one. */
  #sameProcess(record: InstanceRecord): InstanceRecord | null {
    const now = this.#parts.registry.findInstance(record.id)
    return now !== undefined && now.process?.pid === record.process?.pid ? now : null
  }

  #explain(record: InstanceRecord, watch: Watch, failure: NonNullable<InstanceRecord['lastProbeFailure']>) {
    if (record.process === null) return failure
    if (failure.at - watch.wrongPort.at >= WRONG_PORT_EVERY_MS) {
      const { container } = this.#parts.registry.findSet(record)?.spec ?? {}
      const message =
        container === undefined
          ? explainRefusal(record.process, record.port)
          : explainRefusalInside(record.process, container.port ?? 0)
      watch.wrongPort = { at: failure.at, message }
    }
    const { message } = watch.wrongPort
    return message === null ? failure : { ...failure, kind: 'wrong-port' as const, message }
  }
}

/** Nothing is in doubt, so that the next answer on the same connection says as much as one on a new one. */
const isWell = (record: InstanceRecord): boolean =>
  isProbed(record) && record.state === 'ready' && record.consecutiveProbeFailures === 0

/** Nothing that is asked of a paused container is answered, and nothing is wrong with its program. */
function whyOf(failure: ProbeFailure, { container }: InstanceRecord, { paused }: Watch): ProbeFailure {
  if (!paused || container === null) return failure
  return { ...failure, message: `its container was paused by somebody: docker unpause ${container.name}` }
}

/** Nobody may listen there: at a published port the engine takes connections for whoever is inside, and drops them. */
const isUnheard = ({ kind }: ProbeFailure, { container }: InstanceRecord): boolean =>
  kind === 'refused' || (kind === 'reset' && container !== null)
