import { constants } from 'node:os'
import type { Problem } from '../../core/shared/problem.ts'
import { failed, ok, type Result } from '../../core/shared/result.ts'
import type { SetSpec } from '../../core/shared/set-spec.ts'
import type { ProgramRequest } from '../health/asker.ts'
import { isOver } from '../instance-life.ts'
import type { InstanceRecord } from '../instance-record.ts'
import { capLog, LOG_CAP_BYTES, logPath } from '../log-file.ts'
import type { ProbeAnswer } from '../probe.ts'
import { survivesSignal } from '../processes/process-table.ts'
import type { Workload } from '../workload.ts'
import { atMost } from './at-most.ts'
import { type ContainerParts, inspect } from './container-parts.ts'
import { stateOf } from './container-state.ts'
import { ContainerWatch } from './container-watch.ts'
import { runInContainer } from './exec.ts'
import { Fence } from './fence.ts'
import { LABEL } from './labels.ts'
import { LogFollower } from './log-follower.ts'
import { toldAs } from './start-problem.ts'
import { ContainerStarter } from './starter.ts'

/** An engine starts one after the other anyway; more at a time only makes each of them slower. */
const MOST_STARTS = 4
/** After the engine could not be asked, or refused. */
const PAUSE_MS = 1000
/** A new agent answers only when it knows what runs, but not for ever. */
const RECOVERY_LIMIT_MS = 5000
const CLOSE_LIMIT_MS = 2000

/** Instances as containers of a Docker Engine. */
export class ContainerRunner implements Workload {
  readonly #parts: ContainerParts
  readonly #fence: Fence
  readonly #watch: ContainerWatch
  readonly #starter: ContainerStarter
  readonly #followers = new Map<string, LogFollower>()
  /** Instances of which something is being asked, and those that have to wait until then. */
  readonly #acting = new Set<string>()
  readonly #notBefore = new Map<string, number>()
  readonly #starting = new Set<Promise<void>>()
  #closed = false

  constructor(parts: ContainerParts) {
    this.#parts = parts
    this.#fence = new Fence(parts)
    this.#watch = new ContainerWatch({ ...parts, followerOf: (id) => this.#followers.get(id) })
    this.#starter = new ContainerStarter({
      ...parts,
      fence: this.#fence,
      isClosed: () => this.#closed,
      begun: (record, container) => this.#begun(record, container),
    })
  }

  async start(id: string, spec: SetSpec): Promise<void> {
    const { container } = spec
    if (container === undefined || this.#mustWait(id)) return
    this.#watch.want()
    while (this.#starting.size >= MOST_STARTS) await Promise.race(this.#starting)
    const begun = this.#starter.start(id, { ...spec, container })
    const done = begun.then(
      (what) => this.#pauseIf(id, what === 'held-up'),
      () => undefined,
    )
    this.#starting.add(done)
    void done.finally(() => this.#starting.delete(done))
    await begun
  }

  /** What is under way for longer is written down as an intent: the next agent takes it up. */
  async close(): Promise<void> {
    this.#closed = true
    await atMost(Promise.all(this.#starting), CLOSE_LIMIT_MS)
    this.#watch.close()
    for (const follower of this.#followers.values()) follower.close()
  }

  /** Only to a program that handles it: the first one of a container is not ended by signals that it knows nothing of. */
  sendQuiesce(record: InstanceRecord, signal: NodeJS.Signals): void {
    this.#act(record, async () => {
      const sent = this.#wouldSurvive(record, signal) ? await this.#signal(record, signal) : ok(undefined)
      if (sent.kind === 'failed') return sent
      this.#parts.ledger.apply(record.id, { kind: 'quiesced', at: Date.now() })
      return ok(undefined)
    })
  }

  quiesce(record: InstanceRecord): void {
    if (record.process === null || isOver(record) || !this.#wouldSurvive(record, 'SIGUSR1')) return
    this.#act(record, () => this.#signal(record, 'SIGUSR1'))
  }

  /** The signal that the image names for its end, else SIGTERM. */
  sendTerm(record: InstanceRecord): void {
    this.#act(record, async () => {
      const { container } = record
      const seen = await inspect(this.#parts.engine, container?.id ?? '', container?.name ?? '')
      if (seen.kind === 'failed' && seen.problem.code !== 'DOCKER_NOT_FOUND') return seen
      if (seen.kind === 'ok' && stateOf(seen.value).kind === 'running') {
        const sent = await this.#signal(record, stopSignalOf(seen.value.Config))
        if (sent.kind === 'failed') return sent
      }
      this.#parts.ledger.apply(record.id, { kind: 'term-sent', at: Date.now() })
      return ok(undefined)
    })
  }

  sendKill(record: InstanceRecord): void {
    this.#act(record, async () => {
      const sent = await this.#signal(record, 'SIGKILL')
      if (sent.kind === 'failed') return sent
      this.#parts.ledger.apply(record.id, { kind: 'kill-sent', at: Date.now() })
      return ok(undefined)
    })
  }

  checkGone(record: InstanceRecord): void {
    if (this.#parts.ledger.watch(record.id).starting) return
    const { container, process } = record
    const isOver = container === null || process === null || this.#watch.hasEnded(container.id)
    this.#act(record, async () => {
      if (!isOver) {
        await this.#watch.look(record.id)
        this.#pauseIf(record.id, true)
        return ok(undefined)
      }
      const removed = record.adopted ? ok(undefined) : await this.#removeAll(record)
      if (removed.kind === 'ok') this.#parts.ledger.apply(record.id, { kind: 'group-empty', at: Date.now() })
      return removed
    })
  }

  noticeEnd(record: InstanceRecord): void {
    this.#watch.noticeEnd(record)
  }

  keepHouse(record: InstanceRecord): void {
    if (record.adopted) return
    const { logFolder, errors } = this.#parts
    const follower = this.#followers.get(record.id)
    if (record.process !== null && record.container !== null && !this.#watch.hasEnded(record.container.id))
      follower?.follow(record.container.id)
    const capped = capLog(logPath(logFolder, record.id), LOG_CAP_BYTES)
    if (capped !== null) errors.capped(record, capped)
    if (capped === null) follower?.save()
    else follower?.emptied()
  }

  forget(id: string): void {
    this.#followers.get(id)?.close()
    this.#followers.delete(id)
    this.#notBefore.delete(id)
  }

  /** One that was adopted, or that an earlier agent started: watched from here on. */
  async takeUp(record: InstanceRecord): Promise<void> {
    const { engine, secrets, secretFiles, registry } = this.#parts
    this.#watch.want()
    const { container } = record
    if (container === null || record.process === null) return
    const { secrets: names = [], container: settings } = registry.findSet(record)?.spec ?? {}
    // The values it was started with may have been rotated since; they must stay redacted in what it wrote.
    if (settings?.secretFiles === true) secrets.remember(secretFiles.read(record.id))
    const seen = names.length === 0 ? null : await inspect(engine, container.id, container.name)
    if (seen?.kind === 'ok') secrets.remember(valuesOf(seen.value.Config.Env ?? [], names))
    await this.#begun(record, container.id)
  }

  /** After a start of the agent. What the engine cannot tell in time is found out later. */
  async recover(records: readonly InstanceRecord[]): Promise<void> {
    if (records.length === 0) return
    await atMost(Promise.all(records.map((record) => this.takeUp(record))), RECOVERY_LIMIT_MS)
  }

  runInContainer(
    record: InstanceRecord,
    request: ProgramRequest,
    signal: AbortSignal,
  ): Promise<ProbeAnswer | null> {
    const { engine, secrets } = this.#parts
    return runInContainer({ engine, redact: secrets.redact }, record, { request, signal })
  }

  async #begun({ id, adopted }: Pick<InstanceRecord, 'id' | 'adopted'>, container: string): Promise<void> {
    // Somebody else may have started it again after an end that was told.
    this.#watch.forget(container)
    if (!adopted) this.#followerOf(id).follow(container)
    // What happened before its id was written down was told to nobody.
    await this.#watch.look(id)
  }

  #followerOf(id: string): LogFollower {
    const known = this.#followers.get(id)
    if (known !== undefined) return known
    const { engine, logFolder, report } = this.#parts
    const fresh = new LogFollower({ engine, log: logPath(logFolder, id), report })
    this.#followers.set(id, fresh)
    return fresh
  }

  /** One thing at a time for each instance; what cannot be done is told, and done a little later. */
  #act(record: InstanceRecord, work: () => Promise<Result<void>>): void {
    const { id } = record
    if (this.#acting.has(id) || this.#mustWait(id)) return
    this.#acting.add(id)
    void work()
      .then((done) => {
        if (done.kind === 'ok') return
        this.#pauseIf(id, true)
        const message = this.#parts.secrets.redact(toldAs(done.problem))
        this.#parts.ledger.apply(id, { kind: 'held-up', at: Date.now(), message })
      })
      .catch((error) => {
        this.#pauseIf(id, true)
        this.#parts.report(error)
      })
      .finally(() => this.#acting.delete(id))
  }

  /** That it has ended meanwhile is no failure. */
  async #signal(record: InstanceRecord, signal: string): Promise<Result<void>> {
    const { engine } = this.#parts
    const { container } = record
    if (container === null || container.id === '') return ok(undefined)
    const fenced = await this.#fence.check(record.service)
    if (fenced.kind === 'failed') return fenced
    const sent = await engine.ask({ what: `send ${signal} to container ${container.name}` }, (docker) =>
      docker.getContainer(container.id).kill({ signal }),
    )
    if (sent.kind === 'ok') return ok(undefined)
    if (!hasEnded(sent.problem)) return failed(sent.problem)
    await this.#watch.look(record.id)
    return ok(undefined)
  }

  /** Also what was made for it and never written down. */
  async #removeAll(record: InstanceRecord): Promise<Result<void>> {
    const { secretFiles, registry } = this.#parts
    // Nothing was ever asked of the engine: there may not even be one.
    if (record.container === null) return ok(undefined)
    const found = await this.#fence.check(record.service)
    if (found.kind === 'failed') return found
    for (const { Id } of found.value.filter(({ Labels }) => Labels[LABEL.instance] === record.id)) {
      const removed = await this.#starter.remove(Id)
      if (removed.kind === 'failed') return removed
    }
    if (registry.findSet(record)?.spec?.container?.secretFiles === true) secretFiles.remove(record.id)
    this.#followers.get(record.id)?.close()
    this.#watch.forget(record.container.id)
    return ok(undefined)
  }

  #wouldSurvive({ process: identity }: InstanceRecord, signal: NodeJS.Signals): boolean {
    if (identity === null || process.platform !== 'linux' || !this.#parts.engine.isLocal)
      return identity !== null
    return survivesSignal(identity.pid, constants.signals[signal])
  }

  #mustWait(id: string): boolean {
    return performance.now() < (this.#notBefore.get(id) ?? 0)
  }
  #pauseIf(id: string, isHeldUp: boolean): void {
    if (isHeldUp) this.#notBefore.set(id, performance.now() + PAUSE_MS)
  }
}

function stopSignalOf(config: object): string {
  const named = 'StopSignal' in config ? config.StopSignal : null
  return typeof named === 'string' && named !== '' ? named : 'SIGTERM'
}

const hasEnded = ({ code, cause }: Problem): boolean =>
  code === 'DOCKER_NOT_FOUND' || (code === 'DOCKER_CONFLICT' && /is not running/i.test(cause ?? ''))

function valuesOf(env: readonly string[], names: readonly string[]): string[] {
  return names.flatMap((name) => env.find((one) => one.startsWith(`${name}=`))?.slice(name.length + 1) ?? [])
}
