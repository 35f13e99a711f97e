import { mkdir } from 'node:fs/promises'
import { failed, ok, type Result } from '../../../core/shared/result.ts'
import type { RouterState } from '../../../core/shared/router-state.ts'
import type { RouteSet, ServiceRoutes } from '../../../core/shared/routes.ts'
import type { FencingToken } from '../../../core/shared/token.ts'
import type { Log } from '../../../ports/log.ts'
import type { Router } from '../../../ports/router.ts'
import { entryOf, FencedRoutes } from '../../tools/fenced-routes.ts'
import { testOf } from '../../tools/log-arms.ts'
import type { LogCounts } from '../../tools/log-counts.ts'
import { copyingOf } from '../../tools/log-shadow.ts'
import { refusalOf } from './abilities.ts'
import { configurationOf, longestDrainMs, untouchedDigest } from './configuration.ts'
import { Generations, type NginxKept, NOTHING_KEPT, Own, servedOf } from './kept.ts'
import type { Lines } from './lines.ts'
import { collide, takenBy, tryListen } from './listening.ts'
import { Names } from './names.ts'
import { type Look, notInstalled, type Program, unreachable } from './program.ts'
import type { Served } from './service.ts'
import { instancesOf } from './traffic.ts'
import { Upkeep } from './upkeep.ts'

export type NginxRouterOptions = {
  folder: string
  program: Program
  lines: Lines
  counts: LogCounts
  isInstalled: boolean
  log: Log
  now: () => number
}

/** Routes as a configuration of an nginx of our own; the truth is what the running program says. */
export class NginxRouter implements Router {
  readonly kind = 'nginx'
  private readonly options: NginxRouterOptions
  private readonly fenced: FencedRoutes<Own>
  private readonly generations: Generations
  private readonly upkeep: Upkeep

  constructor(options: NginxRouterOptions) {
    const { folder, log, now } = options
    this.options = options
    this.fenced = new FencedRoutes({ folder, own: { schema: Own, empty: NOTHING_KEPT }, log, now })
    this.generations = new Generations(folder)
    const { program, counts } = options
    this.upkeep = new Upkeep({ fenced: this.fenced, program, counts, log, now })
  }

  async reconcile(): Promise<Result<void>> {
    if (!this.options.isInstalled) return failed(notInstalled())
    await this.openFolder()
    const done = await this.fenced.inTurn((kept) => this.brought(kept))
    if (done.kind === 'failed') return done
    const look = await this.options.program.look()
    this.upkeep.watch()
    if (look !== null) await this.upkeep.see(done.value, look, await this.upkeep.traffic(look))
    return ok(undefined)
  }

  /** Starts nginx where it does not run. What somebody changed by hand stays: the state shows it, and people decide. */
  private async brought(kept: NginxKept): Promise<Result<NginxKept>> {
    const ready = await reopened(kept)
    this.knowServices(ready)
    const isAsKept = JSON.stringify(ready.own) === JSON.stringify(kept.own)
    if (isAsKept && (await this.options.program.master()) !== null) return ok(ready)
    const saved = await this.fenced.save(ready)
    if (saved.kind === 'failed') return saved
    const applied = await this.apply(ready)
    return applied.kind === 'ok' ? await this.fenced.read() : applied
  }

  async setRoutes(routes: ServiceRoutes): Promise<Result<void>> {
    if (!this.options.isInstalled) return failed(notInstalled())
    const refusal = refusalOf(routes)
    if (refusal !== null) return failed(refusal)
    await this.openFolder()
    return await this.fenced.setRoutes(routes, {
      prepare: (next) => this.prepared(next, routes),
      apply: (kept) => this.apply(kept),
    })
  }

  async finalize({ token, service }: { token: FencingToken; service: string }): Promise<Result<void>> {
    await this.openFolder()
    const done = await this.fenced.finalize(
      { token, service },
      {
        prepare: async (next) => ok(without(next, service)),
        apply: async (kept) => ((await this.isIdle(kept)) ? ok(undefined) : await this.apply(kept)),
      },
    )
    if (done.kind === 'ok') this.options.counts.forget(service)
    return done
  }

  async readState(service: string): Promise<Result<RouterState>> {
    const { program, now } = this.options
    const look = await program.look()
    if (look === null || look.digest === null)
      return failed(unreachable('it does not run, or does not answer'))
    const kept = await this.fenced.read()
    if (kept.kind === 'failed') return kept
    const served = await this.inForce(look.digest, service)
    const traffic = await this.upkeep.traffic(look)
    const upToDate = await this.upkeep.see(kept.value, look, traffic)
    const drains = entryOf(upToDate.drains, service) ?? []
    const sets = served === null ? [] : await this.setsOf(served, { look, kept: upToDate })
    return ok({
      service,
      boot: look.master.id,
      token: served?.routes.token ?? null,
      listening: served?.listening ?? null,
      sets,
      ...previewOf(served, upToDate),
      ...(served === null || served.routes.closed === null ? {} : { closed: served.routes.closed }),
      instances: instancesOf(served?.routes ?? null, drains, { traffic, now: now() }),
      reverted: null,
    })
  }

  close(): void {
    this.upkeep.close()
  }

  /** Of all services: an nginx ends for all or for none. */
  async longestDrainMs(): Promise<number> {
    const kept = await this.fenced.read()
    return kept.kind === 'ok'
      ? longestDrainMs(Object.values(kept.value.services).map(({ drain }) => drain))
      : 0
  }

  /** Everything that can be known to go wrong is looked for before anything is written. */
  private async prepared(next: NginxKept, routes: ServiceRoutes): Promise<Result<NginxKept>> {
    const { service, listen } = routes
    const kept = without(next, service)
    const others = servedOf(kept).filter((one) => one.routes.service !== service)
    const before = await this.servedNow()
    const own = before.find((one) => one.routes.service === service) ?? null
    const isHeld =
      own !== null && own.routes.listen.host === listen.host && own.routes.listen.port === listen.port
    const other = others.find(({ listening, preview }) =>
      [listening, preview].some((one) => one !== null && collide(one, listen)),
    )
    if (other !== undefined && listen.port !== 0) return failed(takenBy(listen, other.routes.service))
    const port = isHeld ? ok(own.listening.port) : await tryListen(listen)
    if (port.kind === 'failed') return port
    const ports = listen.port === 0 ? { ...kept.own.ports, [service]: port.value } : kept.own.ports
    const shut = await shutPreview(routes, others, own)
    return ok({ ...kept, own: { ...kept.own, ports, shut: { ...kept.own.shut, ...shut } } })
  }

  /** Called inside of a turn. What is in force already is not reloaded, and is told with its new token. */
  private async apply(ready: NginxKept): Promise<Result<void>> {
    const { program } = this.options
    const served = servedOf(ready)
    const configuration = configurationOf({ services: served, places: program.places })
    this.knowServices(ready)
    const look = await program.look()
    // Newer routes may make the same text: whose they are is known all the same.
    await this.generations.keep(configuration.digest, served)
    if (look !== null && (await this.isInForce(configuration.digest, { look, kept: ready })))
      return ok(undefined)
    const put = await program.put(configuration)
    if (put.kind === 'failed') return put
    this.upkeep.watch()
    const { workers } = put.value
    const proved = { digest: configuration.digest, workers: takingOf(workers) }
    await this.generations.forgetExcept([configuration.digest])
    const leaving = this.upkeep.leavingOf(ready, workers)
    return await this.fenced.save({ ...ready, own: { ...ready.own, leaving, proved } })
  }

  /** It does not run, and nothing is left that it should serve. */
  private async isIdle({ services }: NginxKept): Promise<boolean> {
    return Object.keys(services).length === 0 && (await this.options.program.master()) === null
  }

  private async isInForce(digest: string, { look, kept }: { look: Look; kept: NginxKept }): Promise<boolean> {
    const { proved } = kept.own
    return (
      look.digest === digest &&
      proved?.digest === digest &&
      takingOf(look.workers).every((id) => proved.workers.includes(id)) &&
      untouchedDigest(await this.options.program.text()) === digest
    )
  }

  /** What the running program says of itself, not what we asked for. */
  private async inForce(digest: string, service: string): Promise<Served | null> {
    const served = await this.generations.find(digest)
    return served?.find(({ routes }) => routes.service === service) ?? null
  }

  private async servedNow(): Promise<Served[]> {
    const look = await this.options.program.look()
    return look === null || look.digest === null ? [] : ((await this.generations.find(look.digest)) ?? [])
  }

  /**
   * The weights, as observed: when all workers are others than those that we proved, somebody reloaded nginx, and then
   * what stands in its file counts, by whomever.
   */
  private async setsOf(
    { routes }: Served,
    { look, kept }: { look: Look; kept: NginxKept },
  ): Promise<RouteSet[]> {
    const taking = takingOf(look.workers)
    const { proved } = kept.own
    if (proved?.digest !== look.digest || taking.some((id) => proved.workers.includes(id))) return routes.sets
    const text = await this.options.program.text()
    if (untouchedDigest(text) === look.digest) return routes.sets
    return weightsIn(text, routes)
  }

  /** The lines of the log are read from now on. */
  private async openFolder(): Promise<void> {
    await mkdir(this.options.folder, { recursive: true, mode: 0o700 })
    await this.options.lines.open()
  }

  private knowServices({ services }: NginxKept): void {
    for (const routes of Object.values(services)) {
      const inUse = routes.sets.map(({ release }) => release)
      this.options.counts.expect(routes.service, inUse, {
        test: testOf(routes),
        copying: copyingOf(routes),
      })
    }
  }
}

const takingOf = (workers: Look['workers']): string[] =>
  workers.flatMap(({ id, isLeaving }) => (isLeaving ? [] : [id]))

/** What was kept of a service beside its routes. */
function without(kept: NginxKept, service: string): NginxKept {
  const { [service]: _port, ...ports } = kept.own.ports
  const { [service]: _shut, ...shut } = kept.own.shut
  const port = entryOf(kept.services, service) === null ? {} : entryOf(kept.own.ports, service)
  return {
    ...kept,
    own: { ...kept.own, ports: typeof port === 'number' ? { ...ports, [service]: port } : ports, shut },
  }
}

/** A preview whose port is taken is told, and opened once it is free. */
async function reopened(kept: NginxKept): Promise<NginxKept> {
  const shut = { ...kept.own.shut }
  for (const service of Object.keys(shut)) {
    const preview = entryOf(kept.services, service)?.preview ?? null
    if (preview === null || (await tryListen(preview.listen)).kind === 'ok') delete shut[service]
  }
  return { ...kept, own: { ...kept.own, shut } }
}

async function shutPreview(
  { service, preview, listen }: ServiceRoutes,
  others: readonly Served[],
  own: Served | null,
) {
  if (preview === null) return {}
  const before = own?.preview ?? null
  if (before !== null && before.host === preview.listen.host && before.port === preview.listen.port) return {}
  const other = others.find((one) =>
    [one.listening, one.preview].some((at) => at !== null && collide(at, preview.listen)),
  )
  if (other !== undefined) return { [service]: takenBy(preview.listen, other.routes.service) }
  if (collide(listen, preview.listen)) return { [service]: takenBy(preview.listen, service) }
  const tried = await tryListen(preview.listen)
  return tried.kind === 'ok' ? {} : { [service]: tried.problem }
}

function previewOf(served: Served | null, { own }: NginxKept): Pick<RouterState, 'preview'> {
  if (served === null || served.routes.preview === null) return {}
  const problem = entryOf(own.shut, served.routes.service)
  return { preview: { listening: served.preview, problem: served.preview === null ? problem : null } }
}

/** The shares in a file that was changed by hand; what cannot be found in it has none. */
function weightsIn(text: string, { service, sets }: ServiceRoutes): RouteSet[] {
  const names = new Names(service)
  const start = text.indexOf(`${names.variable('split')} {`)
  const block = start < 0 ? '' : text.slice(start, text.indexOf('}', start))
  const lines = [...block.matchAll(/^\s*(\*|[\d.]+%)\s+(\S+);/gm)]
  const shares = lines.map(([, share = '', upstream = '']) => ({ share, upstream }))
  const given = shares.reduce((sum, { share }) => sum + (share === '*' ? 0 : permilleOf(share)), 0)
  return sets.map((set) => {
    const found = shares.filter(({ upstream }) => upstream === names.upstream(set.release))
    const weight = found.reduce(
      (sum, { share }) => sum + (share === '*' ? 1_000 - given : permilleOf(share)),
      0,
    )
    return { ...set, weightPermille: Math.min(1_000, Math.max(0, weight)) }
  })
}

const permilleOf = (share: string): number => Math.round(Number.parseFloat(share) * 10)
