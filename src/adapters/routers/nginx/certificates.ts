import type { TlsFiles } from '../../../core/shared/entry.ts'
import type { Problem } from '../../../core/shared/problem.ts'
import { ok, type Result } from '../../../core/shared/result.ts'
import type { ShownCertificate } from '../../../core/shared/router-state.ts'
import type { ServiceRoutes } from '../../../core/shared/routes.ts'
import type { Log } from '../../../ports/log.ts'
import { CERTIFICATE_POLL_MS, LiveCertificate, readFit, UNSEEN } from '../../../tls/live-certificate.ts'
import { dateText, keyProblem, type Pair, readPair } from '../../../tls/pair.ts'
import { entryOf } from '../../tools/fenced-routes.ts'
import { Watch } from '../../tools/watch.ts'
import type { NginxKept } from './kept.ts'
import { type KeptPair, PairFiles } from './kept-pair.ts'

export type CertificatesOptions = {
  folder: string
  log: Log
  now: () => number
  /** Shows clients of a service another pair. A problem: the one from before is shown. */
  show: (service: string, pair: Pair) => Promise<Result<void>>
}

/** The certificates of all services: what is shown, and whether their files hold something else by now. */
export class Certificates {
  private readonly options: CertificatesOptions
  private readonly files: PairFiles
  private readonly live = new Map<string, { digest: string; certificate: LiveCertificate }>()
  readonly watch = new Watch(CERTIFICATE_POLL_MS, () => this.lookAtAll())

  constructor(options: CertificatesOptions) {
    this.options = options
    this.files = new PairFiles(options.folder)
  }

  /** What clients of this service are shown from now on. What they are shown already needs no files. */
  async chosen(
    { service, tls, hosts = [] }: ServiceRoutes,
    kept: NginxKept,
  ): Promise<Result<KeptPair | null>> {
    if (tls === undefined) return ok(null)
    const known = entryOf(kept.own.pairs, service)
    if (known !== null && isSame(known.files, tls) && (await this.files.read(known)) !== null)
      return ok(known)
    const read = await readFit(tls, hosts)
    return read.kind === 'failed' ? read : ok(await this.files.keep(tls, read.value))
  }

  async keep(files: TlsFiles, pair: Pair): Promise<KeptPair> {
    return await this.files.keep(files, pair)
  }

  /** Copies of ours that are gone are made again from the files, whatever their date says: better than no certificate. */
  async restored(kept: NginxKept): Promise<NginxKept> {
    const pairs = { ...kept.own.pairs }
    for (const [service, known] of Object.entries(pairs)) {
      if ((await this.files.read(known)) !== null) continue
      const read = await readPair(known.files)
      if (read.kind === 'ok') pairs[service] = await this.files.keep(known.files, read.value)
    }
    return { ...kept, own: { ...kept.own, pairs } }
  }

  /** nginx reads all keys with each change, and takes none while one does not fit: why, by service. */
  async misfits({ own }: NginxKept): Promise<Map<string, Problem>> {
    const found = new Map<string, Problem>()
    for (const [service, pair] of Object.entries(own.pairs)) {
      const leaf = await this.files.read(pair)
      const problem = leaf === null ? null : await keyProblem(leaf, { ...pair.files, key: pair.key })
      if (problem !== null) found.set(service, problem)
    }
    return found
  }

  /** Where both files fit together by now, they are taken at once: what was in use until now does not hold up a change. */
  async renewed(kept: NginxKept, misfits: ReadonlyMap<string, Problem>): Promise<NginxKept> {
    const pairs = { ...kept.own.pairs }
    for (const service of misfits.keys()) {
      const known = entryOf(pairs, service)
      const read = known === null ? null : await readFit(known.files, kept.services[service]?.hosts ?? [])
      if (known !== null && read?.kind === 'ok')
        pairs[service] = await this.files.keep(known.files, read.value)
    }
    return { ...kept, own: { ...kept.own, pairs } }
  }

  /** What is kept is in force: its files are looked at from now on, and copies of others go. */
  async follow({ services, own }: NginxKept): Promise<void> {
    for (const service of this.live.keys())
      if (entryOf(own.pairs, service) === null) this.live.delete(service)
    for (const [service, pair] of Object.entries(own.pairs))
      await this.followOne(service, { pair, hosts: services[service]?.hosts ?? [] })
    if (this.live.size > 0) this.watch.start()
  }

  async forgetOthers({ own }: NginxKept): Promise<void> {
    await this.files.forgetExcept(Object.values(own.pairs))
  }

  shown(service: string): ShownCertificate | null {
    return this.live.get(service)?.certificate.shown(this.options.now()) ?? null
  }

  private async followOne(
    service: string,
    { pair, hosts }: { pair: KeptPair; hosts: readonly string[] },
  ): Promise<void> {
    const known = this.live.get(service)
    if (known !== undefined && known.digest === pair.digest && isSame(known.certificate.files, pair.files)) {
      known.certificate.hosts = hosts
      return
    }
    const leaf = await this.files.read(pair)
    if (leaf === null) return
    const certificate = new LiveCertificate(pair.files, { leaf, stamp: UNSEEN, hosts })
    this.live.set(service, { digest: pair.digest, certificate })
  }

  private async lookAtAll(): Promise<boolean> {
    for (const [service, { certificate }] of this.live)
      await this.look(service, certificate).catch((error: unknown) =>
        this.options.log.warn('a certificate could not be looked at', { service, error: String(error) }),
      )
    return this.live.size > 0
  }

  private async look(service: string, certificate: LiveCertificate): Promise<void> {
    const before = certificate.leaf
    const followed = await certificate.follow()
    if (followed === null) return
    if (followed.kind === 'stays') {
      this.notTaken(followed.problem)
      return
    }
    const { pair } = followed
    const isNew = pair.certificate.raw.compare(before.certificate.raw) !== 0
    const shown = await this.options.show(service, pair)
    if (shown.kind === 'ok') {
      if (isNew)
        this.options.log.info('certificate taken over', {
          certificate: certificate.files.certificate,
          validUntil: dateText(pair.validUntil),
        })
      return
    }
    certificate.leaf = before
    // Whatever keeps nginx from it passes; what it says of the pair itself does not.
    if (shown.problem.code !== 'ROUTER_REFUSED') certificate.reconsider()
    const stays = certificate.stay(shown.problem)
    if (stays.kind === 'stays') this.notTaken(stays.problem)
  }

  private notTaken(problem: Problem): void {
    this.options.log.error('certificate not taken over', { problem })
  }
}

const isSame = (one: TlsFiles, other: TlsFiles): boolean =>
  one.certificate === other.certificate && one.key === other.key
