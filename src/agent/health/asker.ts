import { setMaxListeners } from 'node:events'
import { formatDuration } from '../../core/shared/duration.ts'
import type { HealthCheck, NamedCheck } from '../../core/shared/health-check.ts'
import type { SetSpec } from '../../core/shared/set-spec.ts'
import type { InstanceRecord } from '../instance-record.ts'
import { type ProbeAnswer, probe } from '../probe.ts'
import { INSTANCE_VARIABLE } from '../processes/process-table.ts'
import { environmentOf, fillIn } from '../processes/start-process.ts'
import type { Secrets } from '../secrets.ts'
import { checkCommand } from './command-check.ts'
import { checkGrpc } from './grpc-check.ts'
import type { KeptConnection } from './kept-connection.ts'
import { checkTcp } from './tcp-check.ts'

export type Question = {
  check: HealthCheck | NamedCheck['check']
  timeoutMs: number
  /** One that may be asked over HTTP once more; without it the question has a connection of its own. */
  connection?: KeptConnection | undefined
}

/** A program beside an instance; its words and variables still hold placeholders. */
export type ProgramRequest = { command: readonly string[]; timeoutMs: number; env: Record<string, string> }
/** Where the file system and the network are those of a container, so is the program. `null`: ended together with the agent. */
export type RunInContainer = (
  record: InstanceRecord,
  request: ProgramRequest,
  signal: AbortSignal,
) => Promise<ProbeAnswer | null>

type AskerParts = { secrets: Secrets; agentEnv: NodeJS.ProcessEnv; runInContainer: RunInContainer }

/** Asks one instance, in whatever way its release wants to be asked. Never throws, never takes much longer than the time limit. */
export class Asker {
  readonly #parts: AskerParts
  readonly #ending = new AbortController()

  constructor(parts: AskerParts) {
    this.#parts = parts
    // One for each program that runs.
    setMaxListeners(0, this.#ending.signal)
  }

  ask(
    record: InstanceRecord,
    spec: SetSpec | null,
    { check, timeoutMs, connection }: Question,
  ): Promise<ProbeAnswer> {
    const { redact } = this.#parts.secrets
    const { host, port } = record
    switch (check.kind) {
      case 'http':
        return probe({ host, port, path: check.path, timeoutMs, redact, kept: connection })
      case 'tcp':
        return checkTcp({ host, port, timeoutMs, isPassedOn: isPassedOn(record, spec) })
      case 'address':
        return checkTcp({ host: check.host, port: check.port, timeoutMs })
      case 'grpc':
        return checkGrpc({ host, port, service: check.service, timeoutMs, redact })
      case 'command':
        return this.#checked(record, spec, { command: check.command, timeoutMs })
      case 'runs':
        return Promise.resolve(hasRun(record, check.forMs))
    }
  }

  /** Programs that run now are ended: nobody would hear them. */
  close(): void {
    this.#ending.abort()
  }

  async #checked(
    record: InstanceRecord,
    spec: SetSpec | null,
    { command, timeoutMs }: { command: readonly string[]; timeoutMs: number },
  ): Promise<ProbeAnswer> {
    const answer = await this.run(record, spec, { command, timeoutMs, env: {} })
    return answer ?? failedAs('was ended together with the agent', command)
  }

  /** Runs a program beside an instance, with its variables and `env`; `null` when it was ended together with the agent. */
  async run(
    record: InstanceRecord,
    spec: SetSpec | null,
    { command, timeoutMs, env: own }: ProgramRequest,
  ): Promise<ProbeAnswer | null> {
    const { secrets, agentEnv, runInContainer } = this.#parts
    if (record.container !== null) {
      const words = spec === null ? command : inContainer(command, spec)
      return runInContainer(record, { command: words, timeoutMs, env: own }, this.#ending.signal)
    }
    if (spec === null) return failedAs('the instance was adopted, so nobody knows where to run it', command)
    const values = secrets.resolve(spec.secrets)
    if (values.kind === 'failed')
      return failedAs(`${values.problem.code}: ${values.problem.message}`, command)
    const place = { spec, port: record.port }
    // Without the mark of an instance: what carries it is taken for a part of the instance, and ended with it.
    const { [INSTANCE_VARIABLE]: _mark, ...env } = environmentOf({
      ...place,
      instance: record.id,
      secrets: values.value,
      agentEnv,
    })
    try {
      const answer = await checkCommand({
        command: command.map((word) => fillIn(word, place)),
        folder: spec.folder,
        env: { ...env, ...own },
        timeoutMs,
        redact: secrets.redact,
        signal: this.#ending.signal,
      })
      return this.#ending.signal.aborted ? null : answer
    } catch (error) {
      return failedAs(`could not be started: ${secrets.redact(String(error))}`, command)
    }
  }
}

/** At a published port somebody takes connections for the container, whether it listens or not. */
const isPassedOn = ({ container, host, port }: InstanceRecord, spec: SetSpec | null): boolean =>
  container !== null && (host === '127.0.0.1' || port !== (spec?.container?.port ?? port))

/** `{{port}}` is the port inside. */
function inContainer(command: readonly string[], spec: SetSpec): string[] {
  return command.map((word) => fillIn(word, { spec, port: spec.container?.port ?? 0 }))
}

/** Who cannot be asked is well for as long as it runs. */
function hasRun({ startedAt }: InstanceRecord, forMs: number): ProbeAnswer {
  const ranMs = Math.max(0, Date.now() - startedAt)
  if (ranMs >= forMs) return { kind: 'passed' }
  const message = `it has run for ${formatDuration(ranMs)} of ${formatDuration(forMs)}`
  return { kind: 'failed', failure: { kind: 'not-serving', message, at: Date.now() } }
}

const failedAs = (what: string, command: readonly string[]): ProbeAnswer => ({
  kind: 'failed',
  failure: { kind: 'not-serving', message: `${command.join(' ')}: ${what}`, at: Date.now() },
})
