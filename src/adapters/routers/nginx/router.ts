import { mkdir } from 'node:fs/promises'
import { isDeepStrictEqual } from 'node:util'
import type { Problem } from '../../../core/shared/problem.ts'
import { failed, ok, type Result } from '../../../core/shared/result.ts'
import type { RouterState } from '../../../core/shared/router-state.ts'
import type { RouteSet, ServiceRoutes } from '../../../core/shared/routes.ts'
import type { FencingToken } from '../../../core/shared/token.ts'
import type { Log } from '../../../ports/log.ts'
import type { Router } from '../../../ports/router.ts'
import type { Pair } from '../../../tls/pair.ts'
import { entryOf, FencedRoutes } from '../../tools/fenced-routes.ts'
import { testOf } from '../../tools/log-arms.ts'
import type { LogCounts } from '../../tools/log-counts.ts'
import { copyingOf } from '../../tools/log-shadow.ts'
import { refusalOf } from './abilities.ts'
import { portFor, reopened, shutPreview } from './addresses.ts'
import { Certificates, type CertificatesOptions } from './certificates.ts'
import { configurationOf, longestDrainMs, untouchedDigest } from './configuration.ts'
import { digestInForce, takingOf } from './in-force.ts'
import { Generations, type NginxKept, NOTHING_KEPT, Own, servedOf } from './kept.ts'
import { inWordsOfKeys, keptFromServing, leftOutOf } from './left-out.ts'
import type { Lines } from './lines.ts'
import { type Look, notInstalled, type Program, unreachable } from './program.ts'
import type { Served } from './service.ts'
import { instancesOf } from './traffic.ts'
import { Upkeep } from './upkeep.ts'
import { weightsIn } from './weights-by-hand.ts'

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
  private readonly certificates: Certificates
  private isEnding = false

  constructor(options: NginxRouterOptions) {
    const { folder, log, now } = options
    this.options = options
    this.fenced = new FencedRoutes({ folder, own: { schema: Own, empty: NOTHING_KEPT }, log, now })
    this.generations = new Generations(folder)
    const { program, counts } = options
    const apply = (kept: NginxKept) => this.applyUnasked(kept)
    this.upkeep = new Upkeep({ fenced: this.fenced, program, counts, log, now, apply })
    const show: CertificatesOptions['show'] = (service, pair) => this.show(service, pair)
    this.certificates = new Certificates({ folder, log, now, show })
  }

  async reconcile(): Promise<Result<void>> {
    if (!this.options.isInstalled) return failed(notInstalled())
    await this.openFolder()
    const done = await this.fenced.inTurn((kept) => {
      this.isEnding = false
      return this.brought(kept)
    })
    if (done.kind === 'failed') return done
    const look = await this.options.program.look()
    this.upkeep.watch.start()
    if (look !== null) await this.upkeep.see(done.value, look, await this.upkeep.traffic(look))
    return ok(undefined)
  }

  /** Starts nginx where it does not run. What somebody changed by hand stays: the state shows it, and people decide. */
  private async brought(kept: NginxKept): Promise<Result<NginxKept>> {
    // Nobody else is in the middle of a change now.
    await this.options.program.closing.end()
    const ready = await this.certificates.restored(await reopened(kept))
    this.knowServices(ready)
    const isAsKept = JSON.stringify(ready.own) === JSON.stringify(kept.own)
    const look = await this.options.program.look()
    if (isAsKept && look !== null) {
      if (await this.isInOtherWords(ready, look)) return await this.renewed(ready)
      await this.certificates.follow(ready)
      return ok(ready)
    }
    const saved = await this.fenced.save(ready)
    if (saved.kind === 'failed') return saved
    const applied = await this.apply(ready)
    return applied.kind === 'ok' ? await this.fenced.read() : applied
  }

  /**
   * It does what is kept, by a configuration that another version of Sluice wrote and nobody touched: then its log may
   * have lines that only that version can read.
   */
  private async isInOtherWords(kept: NginxKept, { digest }: Look): Promise<boolean> {
    const { program } = this.options
    const served = servedOf(kept)
    return (
      digest !== null &&
      digest !== configurationOf({ services: served, ...program.ground }).digest &&
      untouchedDigest(await program.text()) === digest &&
      isDeepStrictEqual(await this.generations.find(digest), served)
    )
  }

  /** Whatever comes of it, nginx serves as before. */
  private async renewed(kept: NginxKept): Promise<Result<NginxKept>> {
    const applied = await this.apply(kept)
    if (applied.kind === 'ok') return await this.fenced.read()
    this.options.log.warn(
      'nginx follows the configuration of another version of Sluice until its next change',
      {
        problem: applied.problem,
      },
    )
    await this.certificates.follow(kept)
    return ok(kept)
  }

  async setRoutes(routes: ServiceRoutes): Promise<Result<void>> {
    if (!this.options.isInstalled) return failed(notInstalled())
    const refusal = refusalOf(routes)
    if (refusal !== null) return failed(refusal)
    await this.openFolder()
    return await this.fenced.setRoutes(routes, {
      prepare: (next) => this.prepared(next, routes),
      apply: async (kept) => {
        this.isEnding = false
        const applied = await this.apply(kept)
        return applied.kind === 'ok' ? await this.servedOrWhy(routes.service, kept) : applied
      },
    })
  }

  /** A service that was left out is not served, although the change of the others is in force. */
  private async servedOrWhy(service: string, kept: NginxKept): Promise<Result<void>> {
    const misfit = (await this.certificates.misfits(kept)).get(service) ?? null
    const now = misfit === null ? [] : await this.servedNow(kept)
    return misfit === null || now.some(({ routes }) => routes.service === service)
      ? ok(undefined)
      : failed(keptFromServing(service, misfit))
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
    const all = await this.servedBy(look, kept.value)
    const served = all.find(({ routes }) => routes.service === service) ?? null
    const traffic = await this.upkeep.traffic(look)
    const upToDate = await this.upkeep.see(kept.value, look, traffic)
    await this.certificates.follow(upToDate)
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
      ...this.certificateOf(service, { served, kept: upToDate }),
      ...this.limitedOf(served),
      instances: instancesOf(served?.routes ?? null, drains, { traffic, now: now() }),
      reverted: null,
    })
  }

  async close(): Promise<void> {
    await Promise.all([this.upkeep.watch.close(), this.certificates.watch.close()])
  }

  /**
   * After the longest drain of all services: an nginx ends for all or for none. Looks go on meanwhile, and nothing of ours
   * starts it again before it is asked to serve: a change that is under way is waited for.
   */
  async end(): Promise<Result<void>> {
    this.isEnding = true
    const unsettled = await this.fenced.settled()
    // A change that was asked for before, and had to wait, had set it back.
    this.isEnding = true
    if (unsettled !== null)
      this.options.log.warn('nginx is ended while it may be changing', { problem: unsettled })
    this.upkeep.watch.start()
    return await this.options.program.end(await this.longestDrainMs())
  }

  private async longestDrainMs(): Promise<number> {
    const kept = await this.fenced.read()
    return kept.kind === 'ok'
      ? longestDrainMs(Object.values(kept.value.services).map(({ drain }) => drain))
      : 0
  }

  /** Of its own accord; whatever is asked for is put into force in any case. */
  private async applyUnasked(kept: NginxKept): Promise<Result<void>> {
    return this.isEnding ? ok(undefined) : await this.apply(kept)
  }

  /** Everything that can be known to go wrong is looked for before anything is written. */
  private async prepared(next: NginxKept, routes: ServiceRoutes): Promise<Result<NginxKept>> {
    const { service, listen } = routes
    const kept = without(next, service)
    const others = servedOf(kept).filter((one) => one.routes.service !== service)
    const around = { others, before: await this.servedNow(next) }
    const port = await portFor(routes, around)
    if (port.kind === 'failed') return port
    const pair = await this.certificates.chosen(routes, next)
    if (pair.kind === 'failed') return pair
    const ports = listen.port === 0 ? { ...kept.own.ports, [service]: port.value } : kept.own.ports
    const pairs = pair.value === null ? kept.own.pairs : { ...kept.own.pairs, [service]: pair.value }
    const shut = { ...kept.own.shut, ...(await shutPreview(routes, around)) }
    return ok({ ...kept, own: { ...kept.own, ports, pairs, shut } })
  }

  /** Called inside of a turn. What is in force already is not reloaded, and is told with its new token. */
  private async apply(asked: NginxKept): Promise<Result<void>> {
    const { program } = this.options
    const { ready, misfits } = await this.withPairsThatFit(asked)
    const served = servedOf(ready)
    const configuration = configurationOf({ services: served, ...program.ground })
    this.knowServices(ready)
    const look = await program.look()
    // Newer routes may make the same text: whose they are is known all the same.
    await this.generations.keep(configuration.digest, served)
    if (look !== null && (await this.isInForce(configuration.digest, { look, kept: ready }))) {
      await program.closing.end()
      await this.certificates.follow(ready)
      return ok(undefined)
    }
    const put = await program.put(configuration)
    if (put.kind === 'failed') return failed(inWordsOfKeys(put.problem, misfits))
    this.upkeep.watch.start()
    const { workers } = put.value
    const proved = { digest: configuration.digest, workers: takingOf(workers) }
    // Whoever looked before this moment still asks for the one before.
    await this.generations.forgetExcept([configuration.digest, ready.own.proved?.digest ?? ''])
    const leaving = this.upkeep.leavingOf(ready, workers)
    await this.certificates.follow(ready)
    await this.certificates.forgetOthers(ready)
    return await this.fenced.save({ ...ready, own: { ...ready.own, leaving, proved } })
  }

  /** Renewed pairs are taken at once; services whose key fits nothing are left out where that takes nothing away. */
  private async withPairsThatFit(
    asked: NginxKept,
  ): Promise<{ ready: NginxKept; misfits: ReadonlyMap<string, Problem> }> {
    const before = await this.certificates.misfits(asked)
    const kept = await this.certificates.renewed(asked, before)
    const misfits = before.size === 0 ? before : await this.certificates.misfits(kept)
    const { own } = kept
    if (misfits.size === 0) return { ready: { ...kept, own: { ...own, leftOut: [] } }, misfits }
    const isRunning = (await this.options.program.master()) !== null
    const leftOut = leftOutOf([...misfits.keys()], { own, isRunning, now: await this.servedNow(asked) })
    for (const service of leftOut.filter((name) => !own.leftOut.includes(name)))
      this.options.log.error('nginx cannot serve a service and serves the others without it', {
        service,
        problem: misfits.get(service),
      })
    return { ready: { ...kept, own: { ...own, leftOut } }, misfits }
  }

  /** Another pair of files for a service: a change like any other, but of no routes. */
  private async show(service: string, pair: Pair): Promise<Result<void>> {
    return await this.fenced.inTurn(async (kept) => {
      const known = entryOf(kept.own.pairs, service)
      if (known === null) return ok(undefined)
      const next = await this.certificates.keep(known.files, pair)
      if (isDeepStrictEqual(next, known) && !kept.own.leftOut.includes(service)) return ok(undefined)
      const ready = { ...kept, own: { ...kept.own, pairs: { ...kept.own.pairs, [service]: next } } }
      const saved = await this.fenced.save(ready)
      if (saved.kind === 'failed') return saved
      const applied = await this.applyUnasked(ready)
      if (applied.kind === 'failed' && applied.problem.code === 'ROUTER_REFUSED') await this.fenced.save(kept)
      return applied
    })
  }

  private certificateOf(
    service: string,
    { served, kept }: { served: Served | null; kept: NginxKept },
  ): Pick<RouterState, 'certificate'> {
    const isAsked = (served !== null && served.pair !== null) || kept.own.leftOut.includes(service)
    const shown = isAsked ? this.certificates.shown(service) : null
    return shown === null ? {} : { certificate: shown }
  }

  private limitedOf(served: Served | null): Pick<RouterState, 'limited'> {
    const { requests, rate } = served?.routes.limits ?? {}
    if (served === null || (requests === undefined && rate === undefined)) return {}
    return { limited: this.options.counts.limitedOf(served.routes.service) }
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

  private async servedNow(kept: NginxKept): Promise<Served[]> {
    const look = await this.options.program.look()
    return look === null ? [] : await this.servedBy(look, kept)
  }

  /** What the running program says of itself, not what we asked for. */
  private async servedBy(look: Look, kept: NginxKept): Promise<Served[]> {
    const digest = digestInForce(look, kept)
    return digest === null ? [] : ((await this.generations.find(digest)) ?? [])
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

/** What was kept of a service beside its routes. */
function without(kept: NginxKept, service: string): NginxKept {
  const { [service]: _port, ...ports } = kept.own.ports
  const { [service]: _shut, ...shut } = kept.own.shut
  const { [service]: _pair, ...pairs } = kept.own.pairs
  const port = entryOf(kept.services, service) === null ? {} : entryOf(kept.own.ports, service)
  return {
    ...kept,
    own: {
      ...kept.own,
      ports: typeof port === 'number' ? { ...ports, [service]: port } : ports,
      shut,
      pairs,
    },
  }
}

function previewOf(served: Served | null, { own }: NginxKept): Pick<RouterState, 'preview'> {
  if (served === null || served.routes.preview === null) return {}
  const problem = entryOf(own.shut, served.routes.service)
  return { preview: { listening: served.preview, problem: served.preview === null ? problem : null } }
}
