import type { Quiesce, SetSpec } from '../core/shared/set-spec.ts'
import type { Asker } from './health/asker.ts'
import type { InstanceRecord } from './instance-record.ts'
import type { InstanceRunner } from './instance-runner.ts'

type ByCommand = Extract<Quiesce, { command: string[] }>
/** Of the program that a container runs, as it is seen inside. */
const FIRST_PID = 1

type Parts = { runner: Pick<InstanceRunner, 'apply' | 'watch'>; asker: Pick<Asker, 'run'> }

/** Tells workers to take no new work by a program beside them. What comes of it arrives as a life event. */
export class QuiesceCommands {
  readonly #parts: Parts

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** The program is under way: it is not run a second time beside itself. */
  isTelling(record: InstanceRecord): boolean {
    return this.#parts.runner.watch(record.id).telling
  }

  /** The time that the worker is given begins now, not when the program ends. */
  tell(record: InstanceRecord, spec: SetSpec, { command, timeoutMs }: ByCommand): void {
    const { runner, asker } = this.#parts
    const watch = runner.watch(record.id)
    if (watch.telling) return
    watch.telling = true
    runner.apply(record.id, { kind: 'quiesced', at: Date.now() })
    const pid = record.container === null ? record.process?.pid : FIRST_PID
    const env = { SLUICE_PID: String(pid ?? '') }
    void asker
      .run(record, spec, { command, timeoutMs, env })
      .then((answer) => {
        // Ended together with the agent: the next one runs it again.
        if (answer === null) return
        const failure = answer.kind === 'passed' ? null : answer.failure.message
        runner.apply(record.id, { kind: 'quiesce-ended', at: Date.now(), failure })
      })
      .finally(() => {
        watch.telling = false
      })
  }
}
