import { mkdir } from 'node:fs/promises'
import { isDeepStrictEqual } from 'node:util'
import { failed, ok, type Result } from '../../../core/shared/result.ts'
import type { RouterState } from '../../../core/shared/router-state.ts'
import type { ServiceRoutes } from '../../../core/shared/routes.ts'
import type { FencingToken } from '../../../core/shared/token.ts'
import type { Log } from '../../../ports/log.ts'
import { FencedRoutes, type Hands } from '../../tools/fenced-routes.ts'
import type { Limited } from '../../tools/log-counts.ts'
import { bringTo, needsStart } from './bring.ts'
import { refusalOf } from './cannot.ts'
import { CertificateUpkeep } from './certificate-upkeep.ts'
import { isDraining, removeServers, type Seen, type Sight, tendDrains } from './drains.ts'
import { removeRest } from './files.ts'
import { mapOf } from './names.ts'
import { type KeptHere, NO_OWN, Own, placedOf } from './own.ts'
import { placed } from './placement.ts'
import type { Program } from './program.ts'
import { readable } from './readable.ts'
import { hasRoomFor } from './servers.ts'
import { stateOf } from './state.ts'
import { again, type Worker } from './worker.ts'

export type KeeperOptions = {
  folder: string
  program: Program
  log: Log
  now: () => number
  /** Whenever it is known who takes requests: what it tells from now on is to be read. */
  onWorker: (worker: Worker) => Promise<void>
  /** Before anything of it is in force. */
  onKept: (kept: KeptHere) => void
  /** Each time that HAProxy was looked at. */
  onSight: (kept: KeptHere, sight: Sight) => Promise<void>
  /** What limits of a service turned away, as the log told. */
  limitedOf: (service: string) => Limited
}

/** How often drains are looked after while there are any. */
const TEND_MS = 100

/** Keeps HAProxy at the routes that are kept. */
export class Keeper {
  private readonly options: KeeperOptions
  private readonly fenced: FencedRoutes<Own>
  private readonly certificates: CertificateUpkeep
  private timer: NodeJS.Timeout | null = null
  private tending: Promise<void> | null = null
  private closed = false
  private ending = false

  constructor(options: KeeperOptions) {
    this.options = options
    const { folder, log, now } = options
    this.fenced = new FencedRoutes({ folder, log, now, own: { schema: Own, empty: NO_OWN } })
    const bring = async (kept: KeptHere) => (this.ending ? ok(undefined) : await this.bring(kept, null))
    this.certificates = new CertificateUpkeep({ ...options, fenced: this.fenced, bring })
  }

  async setRoutes(routes: ServiceRoutes): Promise<Result<void>> {
    const refusal = refusalOf(routes)
    if (refusal !== null) return failed(refusal)
    await this.openFolder()
    return await this.fenced.setRoutes(routes, this.handsFor(routes.service))
  }

  async finalize(request: { token: FencingToken; service: string }): Promise<Result<void>> {
    await this.openFolder()
    return await this.fenced.finalize(request, this.handsFor(request.service))
  }

  /** HAProxy runs, with the structure that is kept. A worker that we did not bring there is brought to all routes. */
  async reconcile(): Promise<Result<void>> {
    await this.openFolder()
    return await this.fenced.inTurn(async (kept) => {
      this.ending = false
      const complete = await this.complete(kept)
      if (complete.kind === 'failed') return complete
      return await this.bring(complete.value, null)
    })
  }

  async readState(service: string): Promise<Result<RouterState>> {
    await this.openFolder()
    const kept = await this.fenced.read()
    if (kept.kind === 'failed') return kept
    if (isDraining(kept.value)) this.startTending()
    this.certificates.start(kept.value)
    return await again(() => this.readOnce(service, kept.value))
  }

  private async readOnce(service: string, kept: KeptHere): Promise<Result<RouterState>> {
    const sight = await this.look(kept)
    if (sight.kind === 'failed') return sight
    const { worker, stats } = sight.value.current
    const found = placedOf(kept, service)
    const entries = found !== null && hasRoomFor(found, stats) ? await worker.map(mapOf(service)) : ok([])
    if (entries.kind === 'failed') return entries
    const certificate = found === null ? null : await this.certificates.shown(found, kept, worker)
    return ok(
      stateOf(service, {
        kept,
        sight: sight.value,
        entries: entries.value,
        certificate,
        limited: this.options.limitedOf(service),
        now: this.options.now(),
      }),
    )
  }

  read(): Promise<Result<KeptHere>> {
    return this.fenced.read()
  }

  /** Resolves when nothing of ours is under way any more. */
  async close(): Promise<void> {
    this.closed = true
    this.stopTending()
    await this.tending
    await this.certificates.close()
  }

  /**
   * After what it has is served, as long as the drain limits of its services allow. Nothing of ours starts it again before it
   * is asked to serve: a change that is under way is waited for.
   */
  async end(): Promise<Result<void>> {
    this.ending = true
    const unsettled = await this.fenced.settled()
    // A change that was asked for before, and had to wait, had set it back.
    this.ending = true
    if (unsettled !== null)
      this.options.log.warn('haproxy is ended while it may be changing', { problem: unsettled })
    const kept = await this.fenced.read()
    const services = kept.kind === 'ok' ? Object.values(kept.value.services) : []
    const limits = services.map(({ drain }) => Math.max(drain.requestsMs, drain.websocketsMs))
    return await this.options.program.end(Math.max(0, ...limits), () => this.isIdle())
  }

  private async isIdle(): Promise<boolean> {
    const workers = await this.options.program.all()
    if (workers.kind === 'failed') return false
    for (const worker of workers.value) {
      const stats = await worker.stats()
      if (stats.kind === 'failed' || stats.value.servers.some(({ current }) => current > 0)) return false
    }
    return true
  }

  /** All that serves, with what it has in flight. */
  async look(kept: KeptHere): Promise<Result<Sight>> {
    const current = await this.options.program.current()
    if (current.kind === 'failed') return current
    await this.options.onWorker(current.value)
    const seen = await see(current.value)
    if (seen.kind === 'failed') return seen
    const old = await this.options.program.old()
    if (old.kind === 'failed') return old
    const sight: Sight = { current: seen.value, old: [] }
    for (const worker of old.value) {
      const stats = await see(worker)
      // It may have ended since.
      if (stats.kind === 'ok') sight.old.push(stats.value)
    }
    await this.options.onSight(kept, sight)
    return ok(sight)
  }

  private handsFor(service: string): Hands<Own> {
    return {
      prepare: (next) => this.prepare(next),
      apply: async (kept) => {
        this.ending = false
        const brought = await this.bring(kept, service)
        if (brought.kind === 'ok' && placedOf(kept, service) === null)
          await removeRest(this.options.folder, kept)
        return brought
      },
    }
  }

  /** Everything that may be refused is refused here, before anything is written. */
  private async prepare(next: KeptHere): Promise<Result<KeptHere>> {
    const complete = await this.complete(next)
    if (complete.kind === 'failed' || !(await needsStart(complete.value, this.options.program)))
      return complete
    const isServing = (await this.options.program.current()).kind === 'ok'
    const possible = await readable(complete.value, isServing)
    if (possible.kind === 'failed') return possible
    const checked = await this.options.program.check(possible.value)
    return checked.kind === 'ok' ? complete : checked
  }

  private async complete(kept: KeptHere): Promise<Result<KeptHere>> {
    return await placed(kept)
  }

  private async bring(kept: KeptHere, service: string | null): Promise<Result<void>> {
    const { folder, program, log, onKept, onWorker } = this.options
    onKept(kept)
    // Before it is reloaded: a worker whose log is read stays until it has told everything.
    const before = await program.current()
    if (before.kind === 'ok') await onWorker(before.value)
    const worker = await again(() => bringTo(kept, { folder, program, log, service }))
    if (worker.kind === 'failed') return worker
    await onWorker(worker.value)
    if (isDraining(kept)) this.startTending()
    this.certificates.start(kept)
    const own = { ...kept.own, assertedPid: worker.value.pid }
    return isDeepStrictEqual(own, kept.own) ? ok(undefined) : await this.fenced.save({ ...kept, own })
  }

  private startTending(): void {
    if (this.timer !== null || this.closed) return
    this.timer = setInterval(() => this.tendOnce(), TEND_MS).unref()
  }

  /** One round at a time; what goes wrong in one is tried again in the next. */
  private tendOnce(): void {
    this.tending ??= this.tend()
      .catch((error) => this.options.log.error('drains could not be looked after', { error }))
      .finally(() => {
        this.tending = null
      })
  }

  private async tend(): Promise<void> {
    const result = await this.fenced.inTurn(async (kept) => {
      const sight = await this.look(kept)
      if (sight.kind === 'failed') return sight
      const drains = await tendDrains(kept, sight.value, this.options.now())
      if (drains.kind === 'failed') return drains
      const next = { ...kept, drains: drains.value }
      if (!isDeepStrictEqual(next.drains, kept.drains)) {
        const saved = await this.fenced.save(next)
        if (saved.kind === 'failed') return saved
      }
      if (!isDraining(next)) this.stopTending()
      return await removeServers(next, sight.value)
    })
    if (result.kind === 'failed')
      this.options.log.warn('drains could not be looked after', { problem: result.problem })
  }

  private stopTending(): void {
    if (this.timer !== null) clearInterval(this.timer)
    this.timer = null
  }

  private async openFolder(): Promise<void> {
    await mkdir(this.options.folder, { recursive: true, mode: 0o700 })
  }
}

async function see(worker: Worker): Promise<Result<Seen>> {
  const stats = await worker.stats()
  return stats.kind === 'ok' ? ok({ worker, stats: stats.value }) : stats
}
