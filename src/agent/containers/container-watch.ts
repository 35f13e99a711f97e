import type { ExitStatus } from '../../core/shared/instance.ts'
import { endedByUs } from '../ended-by-us.ts'
import { unknownExit } from '../exit-cause.ts'
import { isOver } from '../instance-life.ts'
import type { InstanceRecord } from '../instance-record.ts'
import { logPath, writtenSince } from '../log-file.ts'
import { isAlive } from '../processes/process-table.ts'
import { type ContainerParts, identityOf, inspect, isSameRun } from './container-parts.ts'
import { type ContainerState, exitOf, stateOf } from './container-state.ts'
import { EngineEvents } from './engine-events.ts'
import { isEngineAway } from './engine-problem.ts'
import type { LogFollower } from './log-follower.ts'
import { ENDED_WITH_ENGINE, saysWrongFormat, toldAs, wrongFormat } from './start-problem.ts'

type WatchParts = ContainerParts & { followerOf(id: string): LogFollower | undefined }

/** Events tell within a moment; this is for what was missed. */
const LIST_EVERY_MS = 5000
/** The last words of a container come a moment after its end. */
const LAST_WORDS_MS = 1000

/** Notices what happens to containers: by the engine's events, and by looking, because a stream can have gaps. */
export class ContainerWatch {
  readonly #parts: WatchParts
  readonly #events: EngineEvents
  /** Containers whose end was told to the ledger. */
  readonly #ended = new Set<string>()
  readonly #looking = new Map<string, 'once' | 'again'>()
  /** The engine was away: what ended meanwhile was its doing. */
  #wasAway = false
  /** It cannot be asked right now. */
  #isAway = false
  #timer: NodeJS.Timeout | undefined

  constructor(parts: WatchParts) {
    this.#parts = parts
    this.#events = new EngineEvents({
      engine: parts.engine,
      heard: (container) => this.#heard(container),
      connected: () => void this.#connected(),
      report: parts.report,
      lost: (why) => this.#lost(why === null ? null : `${why.code}: ${why.message} (${why.cause ?? ''})`),
    })
  }

  /** From the first container on. */
  want(): void {
    this.#events.want()
    this.#timer ??= setInterval(() => void this.#list().catch(this.#parts.report), LIST_EVERY_MS).unref()
  }

  close(): void {
    clearInterval(this.#timer)
    this.#events.close()
  }

  hasEnded(container: string): boolean {
    return this.#ended.has(container)
  }
  forget(container: string): void {
    this.#ended.delete(container)
  }

  /** While the engine is away nobody tells, but on this machine the process table does. */
  noticeEnd(record: InstanceRecord): void {
    if (!this.#isAway || record.process === null || record.container === null) return
    if (this.#ended.has(record.container.id) || !this.#isHere(record.process.startTime)) return
    if (!isAlive(record.process)) this.#lostWithEngine(record)
  }

  /** Asks the engine about one instance. While one question is under way, a second one waits for it. */
  async look(id: string): Promise<void> {
    const under = this.#looking.get(id)
    this.#looking.set(id, under === undefined ? 'once' : 'again')
    if (under !== undefined) return
    try {
      await this.#lookNow(id)
    } finally {
      const again = this.#looking.get(id) === 'again'
      this.#looking.delete(id)
      if (again) await this.look(id)
    }
  }

  async #lookNow(id: string): Promise<void> {
    const { registry, engine } = this.#parts
    const before = registry.findInstance(id)
    if (before === undefined || before.container === null || before.process === null) return
    const { container } = before
    const wasAway = this.#wasAway
    const seen = await inspect(engine, container.id, container.name)
    const now = registry.findInstance(id)
    if (!isSameRun(now, before) || this.#ended.has(container.id)) return
    if (seen.kind === 'failed') {
      if (seen.problem.code === 'DOCKER_NOT_FOUND') await this.#hasEnded(now, null, wasAway)
      if (isEngineAway(seen.problem) && seen.problem.code !== 'DOCKER_SLOW') this.#isAway = true
      return this.noticeEnd(now)
    }
    await this.#judge(now, stateOf(seen.value), wasAway)
  }

  async #judge(record: InstanceRecord, state: ContainerState, wasAway: boolean): Promise<void> {
    const { engine, ledger } = this.#parts
    switch (state.kind) {
      case 'restarting':
        return
      case 'running': {
        ledger.watch(record.id).paused = state.paused
        // The engine may say so a moment longer than it is true, so there may be nobody left to be identified.
        if (state.pid === record.process?.pid) return
        const process = identityOf(engine, record.container?.id ?? '', state)
        // Restarted by somebody else. One of ours goes through its crash, and is taken up by the start after it.
        if (!record.adopted) return this.#hasEnded(record, null, wasAway)
        const { host, port, container } = record
        return ledger.apply(record.id, {
          kind: 'spawned',
          at: Date.now(),
          process,
          place: { host, port, container },
        })
      }
      default:
        return this.#hasEnded(record, state, wasAway)
    }
  }

  /** `state`: how it ended, where the engine still knows it. */
  async #hasEnded(record: InstanceRecord, state: ContainerState | null, wasAway: boolean): Promise<void> {
    const { registry, ledger, followerOf } = this.#parts
    this.#ended.add(record.container?.id ?? '')
    await followerOf(record.id)?.drained(LAST_WORDS_MS)
    const now = registry.findInstance(record.id)
    if (!isSameRun(now, record)) return
    const exit = this.#exitOf(now, state)
    if (wasAway && exit.cause !== 'oom') return this.#tellLost(now, exit)
    ledger.apply(now.id, { kind: 'exited', at: exit.at, exit, addressInUse: false })
    this.#explain(now, state)
    ledger.saveNow()
  }

  #exitOf(record: InstanceRecord, state: ContainerState | null): ExitStatus {
    const at = Math.max(record.startedAt, (state?.kind === 'ended' ? state.at : null) ?? Date.now())
    const byUs = endedByUs(record)
    if (state?.kind !== 'ended') return { ...unknownExit(at), cause: byUs ?? 'unknown' }
    return exitOf(state, { at, endedByUs: byUs })
  }

  /** What the exit status alone does not tell. */
  #explain(record: InstanceRecord, state: ContainerState | null): void {
    const message = isOver(record) ? null : this.#reasonOf(record, state)
    if (message !== null) this.#parts.ledger.apply(record.id, { kind: 'held-up', at: Date.now(), message })
  }

  #reasonOf(record: InstanceRecord, state: ContainerState | null): string | null {
    const { logFolder, ledger, registry } = this.#parts
    const said = writtenSince(logPath(logFolder, record.id), ledger.watch(record.id).logStart)
    const image = registry.findSet(record)?.spec?.container?.image ?? 'the image'
    if (saysWrongFormat(said)) return toldAs(wrongFormat(image, said.trim()))
    if (state === null)
      return `its container ${record.container?.name} was removed or restarted by somebody else`
    return state.kind === 'ended' && state.said !== '' ? `the engine says: ${state.said}` : null
  }

  #lostWithEngine(record: InstanceRecord): void {
    this.#ended.add(record.container?.id ?? '')
    this.#tellLost(record, unknownExit(Date.now()))
  }

  #tellLost(record: InstanceRecord, exit: ExitStatus): void {
    const { ledger } = this.#parts
    const isStopping = endedByUs(record) !== null
    if (isStopping) ledger.apply(record.id, { kind: 'exited', at: exit.at, exit, addressInUse: false })
    else ledger.apply(record.id, { kind: 'lost-by-reboot', at: exit.at, exit, why: ENDED_WITH_ENGINE })
    ledger.saveNow()
  }

  #heard(container: string): void {
    const found = this.#parts.registry.instances().find((record) => record.container?.id === container)
    if (found !== undefined) void this.look(found.id).catch(this.#parts.report)
  }

  async #connected(): Promise<void> {
    this.#isAway = false
    try {
      await Promise.all(this.#contained().map(({ id }) => this.look(id)))
    } catch (error) {
      this.#parts.report(error)
    }
    this.#wasAway = false
  }

  #lost(why: string | null): void {
    this.#wasAway = true
    if (why === null) return
    this.#isAway = true
    this.#parts.report(why)
  }

  /** One question about all of them; those that are not among the running ones are looked at. */
  async #list(): Promise<void> {
    const contained = this.#contained()
    if (contained.length === 0 || !this.#events.isConnected) return
    const found = await this.#parts.engine.ask({ what: 'list the containers' }, (docker) =>
      docker.listContainers(),
    )
    if (found.kind === 'failed') return this.#parts.report(`${found.problem.code}: ${found.problem.message}`)
    this.#isAway = false
    const running = new Set(found.value.map(({ Id }) => Id))
    const missing = contained.filter(({ container }) => !running.has(container?.id ?? ''))
    await Promise.all(missing.map(({ id }) => this.look(id)))
  }

  #contained(): InstanceRecord[] {
    return this.#parts.registry
      .instances()
      .filter(({ container, process }) => container !== null && process !== null)
  }

  /** Times of the engine are dates, those of this machine are ticks since its boot. */
  #isHere(startTime: string): boolean {
    return process.platform === 'linux' && /^\d+@/.test(startTime)
  }
}
