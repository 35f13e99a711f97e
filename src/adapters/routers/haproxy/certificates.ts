import type { X509Certificate } from 'node:crypto'
import type { TlsFiles } from '../../../core/shared/entry.ts'
import { type Problem, problem } from '../../../core/shared/problem.ts'
import { failed, ok, type Result } from '../../../core/shared/result.ts'
import type { ShownCertificate } from '../../../core/shared/router-state.ts'
import type { Log } from '../../../ports/log.ts'
import { CERTIFICATE_POLL_MS, stampOf } from '../../../tls/live-certificate.ts'
import { dateText, expiryWarning, namesIn, type Pair, pairProblem, readPair } from '../../../tls/pair.ts'
import type { CertificateInForce } from './certificate-in-force.ts'
import { certificateOf } from './names.ts'
import { type KeptHere, type Placed, placedIn } from './own.ts'
import type { Worker } from './worker.ts'

export type CertificatesOptions = {
  log: Log
  now: () => number
  /** HAProxy has another certificate of this service; `names` is what it is for. */
  onTaken: (service: string, names: string[]) => Promise<void>
  /** Nobody else changes HAProxy meanwhile, not from another process either. */
  inTurn: <T>(work: () => Promise<Result<T>>) => Promise<Result<T>>
  /** HAProxy did not take a pair that fits over its socket, which it reads from the same files when it is reloaded. */
  reload: () => Promise<Result<Worker>>
}

/** What is known of the certificate of one service. */
type Known = {
  /** What HAProxy shows clients, as it says itself. */
  inForce: CertificateInForce
  /** The same one, where it is what the files hold. */
  certificate: Pick<Pair, 'certificate' | 'validUntil'> | null
  /** Of the files that were read last, and found to be what they are for. */
  seen: string | null
  /** Seen once with a problem: perhaps only one of the two files is written yet. */
  doubted: string | null
  problem: Problem | null
}

type Look = { worker: Worker; placed: Placed; files: TlsFiles; inForce: CertificateInForce }

/**
 * Follows the files of all certificates: what changed and is whole goes to HAProxy over its socket, without a reload. What is
 * in force is asked of HAProxy each time, and so is what came of a change.
 */
export class Certificates {
  private readonly options: CertificatesOptions
  private readonly known = new Map<string, Known>()
  private lookedAt = Number.NEGATIVE_INFINITY
  private looking: Promise<void> = Promise.resolve()
  private isLooking = false

  constructor(options: CertificatesOptions) {
    this.options = options
  }

  shown(service: string): ShownCertificate | null {
    const known = this.known.get(service)
    if (known === undefined) return null
    const { names, validUntil } = known.inForce
    return { names, validUntil, problem: known.problem }
  }

  /** Not more often than the built-in proxy does. */
  async look(kept: KeptHere, worker: Worker): Promise<void> {
    const now = performance.now()
    if (now - this.lookedAt >= CERTIFICATE_POLL_MS && !this.isLooking) {
      this.lookedAt = now
      this.isLooking = true
      this.looking = this.lookAtAll(kept, worker).finally(() => {
        this.isLooking = false
      })
    }
    await this.looking
  }

  /** Resolves when nothing of it is under way. */
  get settled(): Promise<void> {
    return this.looking
  }

  private async lookAtAll(kept: KeptHere, worker: Worker): Promise<void> {
    const secure = placedIn(kept).filter(({ place }) => place.tls !== null)
    const names = new Set(secure.map(({ routes }) => routes.service))
    for (const service of this.known.keys()) if (!names.has(service)) this.known.delete(service)
    for (const placed of secure) {
      const { service, tls: files } = placed.routes
      const inForce = await worker.certificate(certificateOf(service))
      // It is in the middle of a reload, or serves without this service.
      if (inForce.kind === 'failed' || files === undefined) continue
      await this.follow({ worker, placed, files, inForce: inForce.value })
    }
  }

  private async follow(look: Look): Promise<void> {
    const { placed, files, inForce } = look
    const { service, hosts = [] } = placed.routes
    const known = this.knownOf(service, inForce)
    const stamp = await stampOf(files)
    const isSame = known.inForce.fingerprint === inForce.fingerprint
    known.inForce = inForce
    if (stamp !== known.seen || !isSame) {
      const [found, after] = [await readFor(files, hosts, inForce), await stampOf(files)]
      // Written while it was read: the next look sees the whole of it.
      if (after !== stamp) return
      if (found.kind === 'ok') await this.bring(known, look, { pair: found.value, stamp })
      else if (known.doubted === stamp) this.stay(known, found.problem, service, stamp)
      else known.doubted = stamp
    }
    if (known.seen === stamp && known.certificate !== null)
      known.problem = this.problemOf(known.certificate, placed, files)
  }

  private knownOf(service: string, inForce: CertificateInForce): Known {
    const known = this.known.get(service) ?? {
      inForce,
      certificate: null,
      seen: null,
      doubted: null,
      problem: null,
    }
    this.known.set(service, known)
    return known
  }

  private async bring(
    known: Known,
    look: Look,
    { pair, stamp }: { pair: Pair; stamp: string },
  ): Promise<void> {
    const { service } = look.placed.routes
    const isThere = fingerprintOf(pair) === look.inForce.fingerprint
    // The same certificate in other files: what is between it and the root may be new.
    if (!isThere || (known.seen !== null && known.seen !== stamp)) {
      const brought = await this.take(look, pair)
      if (brought.kind === 'failed') {
        this.stay(known, brought.problem, service, null)
        return
      }
      known.inForce = brought.value
      this.options.log.info('certificate taken over', {
        service,
        certificate: look.files.certificate,
        validUntil: dateText(pair.validUntil),
      })
    }
    Object.assign(known, {
      certificate: { certificate: pair.certificate, validUntil: pair.validUntil },
      seen: stamp,
      doubted: null,
      problem: null,
    })
    await this.options.onTaken(service, namesIn(pair.certificate))
  }

  /** Over the socket, or by a reload where that does not take it: a chain may be longer than a command can be. */
  private async take({ worker, placed }: Look, pair: Pair): Promise<Result<CertificateInForce>> {
    const { inTurn, reload } = this.options
    const name = certificateOf(placed.routes.service)
    const set = await inTurn(() => worker.setCertificate(name, pemOf(pair)))
    const serving = set.kind === 'ok' ? ok(worker) : await reload()
    if (serving.kind === 'failed') return serving
    const inForce = await serving.value.certificate(name)
    if (inForce.kind === 'failed' || inForce.value.fingerprint === fingerprintOf(pair)) return inForce
    return failed(notShown(inForce.value))
  }

  private stay(known: Known, problem: Problem, service: string, stamp: string | null): void {
    const kept = `The certificate from before is in use until ${dateText(known.inForce.validUntil)}.`
    const told = { ...problem, message: `${problem.message} ${kept}` }
    if (known.problem?.message !== told.message)
      this.options.log.error('certificate not taken over', { service, problem: told })
    Object.assign(known, { seen: stamp, doubted: null, certificate: null, problem: told })
  }

  private problemOf(
    pair: Pick<Pair, 'certificate' | 'validUntil'>,
    { routes }: Placed,
    files: TlsFiles,
  ): Problem | null {
    const now = this.options.now()
    return pairProblem(pair, { files, hosts: routes.hosts, now }) ?? expiryWarning(pair, { files, now })
  }
}

/** What is shown already may have come to its end; another one must be for now, and for these hosts. */
async function readFor(
  files: TlsFiles,
  hosts: string[],
  { fingerprint }: CertificateInForce,
): Promise<Result<Pair>> {
  const read = await readPair(files)
  if (read.kind === 'failed' || fingerprintOf(read.value) === fingerprint) return read
  const wrong = pairProblem(read.value, { files, hosts, now: Date.now() })
  return wrong === null ? read : failed(wrong)
}

const notShown = ({ names }: CertificateInForce): Problem =>
  problem('ROUTER_COMMAND_FAILED', {
    message: `HAProxy took a certificate and shows another one, for ${names.join(', ')}.`,
    remedy: 'It is tried again every two seconds. Somebody else may change HAProxy by hand.',
    retryable: true,
  })

const fingerprintOf = ({ certificate }: { certificate: X509Certificate }): string =>
  certificate.fingerprint.replaceAll(':', '').toUpperCase()

/** Blocks alone, without what may stand between them: a command ends with an empty line. One file may hold both. */
const pemOf = ({ pem }: Pair): string =>
  [...blocksIn(pem.cert, 'CERTIFICATE'), ...blocksIn(pem.key, '[A-Z ]*PRIVATE KEY')].join('')

const blocksIn = (text: string, label: string): string[] =>
  [...text.matchAll(new RegExp(`-----BEGIN (${label})-----[^-]+-----END \\1-----`, 'g'))].map(
    ([block]) => `${block.replaceAll(/\s*\n\s*/g, '\n')}\n`,
  )
