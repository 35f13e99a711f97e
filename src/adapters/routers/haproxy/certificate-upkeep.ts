import { isDeepStrictEqual } from 'node:util'
import { ok, type Result } from '../../../core/shared/result.ts'
import type { ShownCertificate } from '../../../core/shared/router-state.ts'
import type { Log } from '../../../ports/log.ts'
import { CERTIFICATE_POLL_MS } from '../../../tls/live-certificate.ts'
import { entryOf, type FencedRoutes } from '../../tools/fenced-routes.ts'
import { Certificates } from './certificates.ts'
import type { KeptHere, Own, Placed } from './own.ts'
import type { Program } from './program.ts'
import { hasCertificates } from './readable.ts'
import type { Worker } from './worker.ts'

export type UpkeepOptions = {
  fenced: FencedRoutes<Own>
  program: Program
  log: Log
  now: () => number
  /** Whenever it is known who takes requests. */
  onWorker: (worker: Worker) => Promise<void>
  /** HAProxy is brought to what is kept; in a turn. */
  bring: (kept: KeptHere) => Promise<Result<void>>
}

/** Follows certificates for as long as there are any, also while nobody asks for the state. */
export class CertificateUpkeep {
  private readonly options: UpkeepOptions
  private readonly certificates: Certificates
  private timer: NodeJS.Timeout | null = null
  private closed = false

  constructor(options: UpkeepOptions) {
    this.options = options
    const { log, now } = options
    this.certificates = new Certificates({
      log,
      now,
      onTaken: (service, names) => this.renewed(service, names),
      inTurn: (work) => options.fenced.inTurn(work),
      reload: () => this.reload(),
    })
  }

  start(kept: KeptHere): void {
    if (this.timer !== null || this.closed || !hasCertificates(kept)) return
    this.timer = setInterval(() => this.logged(this.follow()), CERTIFICATE_POLL_MS).unref()
  }

  /** What clients are shown. Only the first look is waited for: a renewal may have to wait for a change that is under way. */
  async shown(
    { routes: { service }, place }: Placed,
    kept: KeptHere,
    worker: Worker,
  ): Promise<ShownCertificate | null> {
    if (place.tls === null) return null
    const looked = this.certificates.look(kept, worker)
    if (this.certificates.shown(service) === null) await looked
    else this.logged(looked)
    return this.certificates.shown(service)
  }

  /** Resolves when nothing of it is under way any more. */
  async close(): Promise<void> {
    this.closed = true
    this.stop()
    await this.certificates.settled
  }

  private stop(): void {
    if (this.timer !== null) clearInterval(this.timer)
    this.timer = null
  }

  private async follow(): Promise<void> {
    const kept = await this.options.fenced.read()
    if (kept.kind === 'failed') return
    if (!hasCertificates(kept.value)) this.stop()
    const worker = await this.options.program.current()
    if (worker.kind === 'ok' && !this.closed) await this.certificates.look(kept.value, worker.value)
  }

  /** Where several certificates are at one address, HAProxy must know which names each is for. */
  private async renewed(service: string, names: string[]): Promise<void> {
    const { fenced, bring, log } = this.options
    const done = await fenced.inTurn(async (kept) => {
      const place = entryOf(kept.own.places, service)
      if (place === null || place.tls === null || isDeepStrictEqual(place.tls.names, names))
        return ok(undefined)
      const places = { ...kept.own.places, [service]: { ...place, tls: { ...place.tls, names } } }
      const next = { ...kept, own: { ...kept.own, places } }
      const saved = await fenced.save(next)
      return saved.kind === 'failed' ? saved : await bring(next)
    })
    if (done.kind === 'failed')
      log.error('names of a certificate are not known to haproxy', { service, problem: done.problem })
  }

  private reload(): Promise<Result<Worker>> {
    const { fenced, program, onWorker } = this.options
    return fenced.inTurn(async () => {
      const before = await program.current()
      if (before.kind === 'ok') await onWorker(before.value)
      const reloaded = await program.reload()
      if (reloaded.kind === 'ok') await onWorker(reloaded.value)
      return reloaded
    })
  }

  private logged(work: Promise<void>): void {
    work.catch((error) => this.options.log.error('certificates could not be looked at', { error }))
  }
}
