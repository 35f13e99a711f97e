import { isDeepStrictEqual } from 'node:util'
import type { Logger } from 'pino'
import { entryOf } from '../core/shared/entry.ts'
import type { ListenAddress } from '../core/shared/listen-address.ts'
import { failed, ok, type Result } from '../core/shared/result.ts'
import { notFollowed, routesNotSaved } from '../core/shared/route-problems.ts'
import type { ServiceRoutes } from '../core/shared/routes.ts'
import type { FencingToken } from '../core/shared/token.ts'
import type { AccessFile } from './access-log/access-file.ts'
import { openAccessFile } from './access-log/open-access-file.ts'
import type { Admission } from './admission.ts'
import type { Entrance } from './entrance.ts'
import { type Entered, Entrances } from './entrances.ts'
import { fence } from './fence.ts'
import type { GivenDoors } from './handover/inherited-doors.ts'
import type { Change } from './handover/messages.ts'
import { LISTEN_RETRY_MS } from './limits.ts'
import { Listener } from './listener.ts'
import { type OpenDoor, openDoors } from './open-doors.ts'
import { PreviewDoor } from './preview-door.ts'
import { type RoutesFile, saveRoutes } from './routes-file.ts'
import { handlersOf } from './serve.ts'
import { type Reverted, Service, type ServiceOptions } from './service.ts'
import { Sight } from './sight.ts'
import { stopService } from './stop-service.ts'
import { Certificates } from './tls/certificates.ts'
import { PREVIEW } from './way.ts'

export type TableOptions = ServiceOptions & {
  folder: string
  log: Logger
  /** Which row of counters this is: a new one tells whoever takes differences that they began anew. */
  boot: string
  /** Sockets that another process opened. */
  inherited?: GivenDoors | null
  /** Others write its access logs, too. */
  leads?: boolean
  /** A worker: files and previews are the business of the process that leads. */
  isLed?: boolean
}

/** All services. Changes go one after the other: to the disk first, then into force, then to the answer. */
export class Table {
  private readonly services = new Map<string, Service>()
  /** Finalized, but perhaps still draining; kept for their drain reports. */
  private readonly leaving = new Map<string, Service>()
  private readonly options: TableOptions
  private readonly entrances: Entrances
  private file: RoutesFile
  private queue: Promise<unknown> = Promise.resolve()
  private stopping = false
  /** Another process serves from now on; its changes are followed in memory. */
  private isGivenAway = false
  /** What others see of it. */
  readonly sight: Sight

  constructor(options: TableOptions, file: RoutesFile) {
    this.options = options
    this.sight = new Sight(options.boot, { services: this.services, leaving: this.leaving })
    const { limits, log, inherited = null } = options
    this.entrances = new Entrances(limits, new Certificates(log), inherited)
    this.file = file
  }

  /** Brings back what was in force. A port that is taken is tried again until it is free. */
  restore(): Promise<void> {
    return this.inTurn(() => this.restoreNow())
  }

  /** `listening`: where the process that leads listens, if that is not what the routes ask for. */
  setRoutes(routes: ServiceRoutes, listening = routes.listen): Promise<Result<void>> {
    return this.inTurn(() =>
      this.andFollowers(
        () => ({ kind: 'routes', routes, listening: this.listeningOf(routes) }),
        () => this.setRoutesNow(routes, listening),
      ),
    )
  }

  finalize(name: string, token: FencingToken): Promise<Result<void>> {
    return this.inTurn(() =>
      this.andFollowers(
        () => ({ kind: 'finalize', service: name, token }),
        () => this.finalizeNow(name, token),
      ),
    )
  }

  /** Returns a service to stable because no controller speaks; recorded before it takes effect. */
  revert(name: string, at: number, stillLost: (routes: ServiceRoutes) => boolean): Promise<Result<void>> {
    return this.inTurn(async () => {
      const service = this.services.get(name)
      const routes = service?.routes ?? null
      if (service === undefined || routes === null || service.reverted !== null) return ok(undefined)
      // A controller may have spoken while this waited for its turn.
      if (!stillLost(routes)) return ok(undefined)
      const fromWeights = Object.fromEntries(routes.sets.map((set) => [set.release, set.weightPermille]))
      return await this.andFollowers(
        () => ({ kind: 'revert', service: name, at }),
        () => this.commit(service, routes, { at, fromWeights }),
      )
    })
  }

  get routes(): ServiceRoutes[] {
    return [...this.services.values()].flatMap(({ routes, reverted }) =>
      routes === null || reverted !== null ? [] : [routes],
    )
  }

  /** Who may come in to the service; `null` where it is not in force. */
  admissionOf(service: string): Admission | null {
    return this.services.get(service)?.admission ?? null
  }

  /** All services in force. */
  get inForce(): Service[] {
    return [...this.services.values()]
  }

  /** Doors that are open, for other processes. */
  get doors(): OpenDoor[] {
    return openDoors(this.entrances.listeners, this.inForce)
  }

  /** Resolves when all changes that were asked for are done. */
  get settled(): Promise<unknown> {
    return this.queue
  }

  /** What is in force, at a moment at which no change is under way. */
  whenStill<T>(use: (file: RoutesFile) => T): Promise<T> {
    return this.inTurn(async () => use(this.file))
  }

  /** Another process serves now: nothing new is accepted, kept or begun here. Resolves when all connections are gone. */
  async giveAway(): Promise<void> {
    this.isGivenAway = true
    this.entrances.giveAway()
    for (const { accessLog } of this.everybody) accessLog?.file.share('adds')
    const doors = this.everybody.flatMap(({ listener, preview }) => [listener, preview?.door ?? null])
    await Promise.all(doors.map((door) => door?.leave()))
  }

  /** Silent connections have been waited for long enough. */
  closeIdle(): void {
    for (const { listener, preview } of this.everybody) {
      listener?.closeIdle()
      preview?.door?.closeIdle()
    }
  }

  /** Ends what is left, at once, and writes the last lines. */
  async end(): Promise<void> {
    this.stopping = true
    for (const service of this.everybody) {
      service.listener?.destroy()
      service.preview?.destroy()
      service.destroy()
    }
    await Promise.all(this.everybody.map((service) => service.closeAccessLog()))
  }

  /** Also those that only end what they have. */
  get everybody(): Service[] {
    return [...this.services.values(), ...this.leaving.values()]
  }

  sweep(now: number): void {
    this.sight.followers.sweep(now)
    for (const service of this.services.values()) service.sweep(now)
    for (const [name, service] of this.leaving) {
      service.sweep(now)
      if (service.idle && service.traffic().length === 0) this.forget(name, service)
    }
  }

  private forget(name: string, service: Service): void {
    this.leaving.delete(name)
    if (service.entrance !== null) this.entrances.release(service.entrance, service)
    service.closeAccessLog().catch(() => undefined)
  }

  /** Stops accepting and lets everything end within the drain limits of its service. The file stays as it is. */
  async stop(): Promise<void> {
    this.stopping = true
    await this.queue
    const { everybody, entrances } = this
    await Promise.all([
      this.sight.elder?.leave(),
      ...everybody.map((service) => stopService(service, entrances)),
    ])
  }

  private async restoreNow(): Promise<void> {
    // One after the other: the second service at an address joins the first one there.
    for (const { routes, listening, reverted } of Object.values(this.file.services)) {
      const service = this.newService(routes.service)
      this.services.set(service.name, service)
      service.apply(routes, reverted)
      this.settlePreview(service, routes)
      await this.restoreListener(service, listening)
    }
  }

  /** A change is in force when all others that serve by this table follow it, too: their connections bring requests. */
  private async andFollowers(change: () => Change, now: () => Promise<Result<void>>): Promise<Result<void>> {
    const done = await now()
    if (done.kind === 'failed') return done
    const { followers } = this.sight
    const told = change()
    if (told.kind === 'finalize') followers.forget(told.service)
    const late = await followers.tell(told)
    return late === null ? done : failed(notFollowed(late.pid))
  }

  /** The port is that of the open door where the routes let the system choose one. */
  private listeningOf({ service, listen }: ServiceRoutes): ListenAddress {
    return this.file.services[service]?.listening ?? listen
  }

  private async setRoutesNow(routes: ServiceRoutes, listening: ListenAddress): Promise<Result<void>> {
    const service = this.services.get(routes.service)
    // The token of a repeat names no rollout any more where the one that ordered it first has ended.
    const inForce = service?.routes && { ...service.routes, token: routes.token }
    const fenced = fence(this.file.highestTokens, {
      ...routes,
      repeats: isDeepStrictEqual(inForce, routes),
    })
    if (fenced !== 'new') return fenced
    const target = service ?? this.newService(routes.service)
    const old = target.entrance
    const entered = await this.enter(target, routes, listening)
    if (entered.kind === 'failed') return entered
    target.entrance = entered.value?.entrance ?? null
    const saved = await this.commit(target, routes, null)
    if (saved.kind === 'failed') {
      target.entrance = old
      entered.value?.undo()
      return saved
    }
    entered.value?.settle()
    this.services.set(routes.service, target)
    this.settlePreview(target, routes)
    if (old !== null && old !== target.entrance) this.leaveFor(old, target)
    return ok(undefined)
  }

  /** Where another process leads, the preview is there, too. */
  private settlePreview({ preview }: Service, routes: ServiceRoutes): void {
    const wanted = routes.preview?.listen ?? null
    if (this.keepsNothing && wanted !== null) return
    preview?.settle(wanted)
  }

  /** Another process leads: what outlives this one is its business. */
  private get keepsNothing(): boolean {
    return this.isGivenAway || this.options.isLed === true
  }

  /** `null`: its door could not be opened when this process started, and is tried again anyway. */
  private async enter(
    service: Service,
    routes: ServiceRoutes,
    listen: ListenAddress,
  ): Promise<Result<Entered | null>> {
    const moved = service.routes === null || !isDeepStrictEqual(service.routes.listen, routes.listen)
    const stays = moved ? null : service.entrance
    if (!moved && stays === null) return ok(null)
    if (moved && this.isGivenAway && !this.entrances.has(listen)) return ok(null)
    if (!moved && isDeepStrictEqual(entryOf(service.routes ?? {}), entryOf(routes)))
      return ok(asBefore(stays))
    return await this.entrances.enter(service, {
      listen,
      entry: routes,
      handlers: handlersOf(service),
      stays,
      lenient: false,
    })
  }

  private leaveFor(old: Entrance, service: Service): void {
    this.entrances.leave(old, service)
    this.entrances.release(old, service)
  }

  private async finalizeNow(name: string, token: FencingToken): Promise<Result<void>> {
    const service = this.services.get(name)
    const repeats = service === undefined
    const fenced = fence(this.file.highestTokens, { service: name, token, repeats })
    if (fenced !== 'new') return fenced
    const { [name]: _, ...services } = this.file.services
    const saved = await this.save({
      ...this.file,
      services,
      highestTokens: { ...this.file.highestTokens, [name]: token },
    })
    if (saved.kind === 'failed' || service === undefined) return saved
    this.services.delete(name)
    this.leaving.set(name, service)
    this.endService(service)
    return ok(undefined)
  }

  private endService(service: Service): void {
    const limits = service.routes?.drain ?? { requestsMs: 0, websocketsMs: 0 }
    if (service.entrance !== null) this.entrances.leave(service.entrance, service)
    service.preview?.settle(null)
    service.retire(limits)
  }

  private async commit(
    service: Service,
    routes: ServiceRoutes,
    reverted: Reverted | null,
  ): Promise<Result<void>> {
    const { name } = service
    const listening = { ...routes.listen, port: service.listener?.address?.port ?? routes.listen.port }
    const saved = await this.save({
      ...this.file,
      services: { ...this.file.services, [name]: { routes, listening, reverted } },
      highestTokens: { ...this.file.highestTokens, [name]: routes.token },
    })
    if (saved.kind === 'ok') service.apply(routes, reverted)
    return saved
  }

  private async save(next: RoutesFile): Promise<Result<void>> {
    try {
      if (!this.keepsNothing) await saveRoutes(this.options.folder, next)
    } catch (error) {
      this.options.log.error({ error }, 'routes cannot be saved')
      return failed(routesNotSaved(this.options.folder, String(error)))
    }
    this.file = next
    return ok(undefined)
  }

  private newService(name: string): Service {
    const service = new Service(name, { ...this.options, accessFileOf: (of) => this.accessFileOf(of) })
    service.preview = new PreviewDoor((address) => this.openPreview(service, address))
    return service
  }

  private accessFileOf(name: string): AccessFile {
    const file = openAccessFile(name, this.options)
    file.share(this.keepsNothing ? 'adds' : this.options.leads === true ? 'keeps' : 'sole')
    return file
  }

  private async openPreview(service: Service, address: ListenAddress): Promise<Result<Listener>> {
    const listener = new Listener(this.options.limits, handlersOf(service, PREVIEW))
    const listening = await listener.listen(address, this.options.inherited)
    return listening.kind === 'ok' ? ok(listener) : listening
  }

  private async restoreListener(service: Service, address: ListenAddress): Promise<void> {
    const entry = service.routes ?? {}
    const opened = await this.entrances.enter(service, {
      listen: address,
      entry,
      handlers: handlersOf(service),
      stays: null,
      lenient: true,
    })
    if (opened.kind === 'ok') {
      service.entrance = opened.value.entrance
      return
    }
    this.options.log.error(
      { service: service.name, problem: opened.problem },
      'listener cannot be restored, will try again',
    )
    setTimeout(() => this.retryListener(service, address), LISTEN_RETRY_MS)
  }

  private retryListener(service: Service, address: ListenAddress): void {
    const wanted = () =>
      !this.stopping &&
      !this.isGivenAway &&
      service.entrance === null &&
      this.services.get(service.name) === service
    this.inTurn(async () => (wanted() ? await this.restoreListener(service, address) : undefined)).catch(
      () => undefined,
    )
  }

  private inTurn<T>(change: () => Promise<T>): Promise<T> {
    const turn = this.queue.then(change)
    this.queue = turn.catch(() => undefined)
    return turn
  }
}

const asBefore = (entrance: Entrance | null): Entered | null =>
  entrance === null ? null : { entrance, undo: () => undefined, settle: () => undefined }
