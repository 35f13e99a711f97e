import type { Logger } from 'pino'
import type { TlsFiles } from '../../core/shared/entry.ts'
import { ok, type Result } from '../../core/shared/result.ts'
import {
  CERTIFICATE_POLL_MS,
  type Followed,
  LiveCertificate,
  readFit,
  stampOf,
} from '../../tls/live-certificate.ts'
import { dateText, type Pair, readPair } from '../../tls/pair.ts'
import type { HeldCertificate } from '../handover/messages.ts'

/** The certificate of a service at a door of ours. */
export class DoorCertificate extends LiveCertificate {
  pair: Pair
  private since = Date.now()
  /** Another pair is shown from now on. */
  onTaken: () => void = () => undefined

  constructor(
    files: TlsFiles,
    { pair, stamp, hosts }: { pair: Pair; stamp: string; hosts: readonly string[] },
  ) {
    super(files, { leaf: pair, stamp, hosts })
    this.pair = pair
  }

  held(now: number): HeldCertificate {
    const { fingerprint256 } = this.pair.certificate
    return { fingerprint: fingerprint256, since: this.since, shown: this.shown(now) }
  }

  protected override take(pair: Pair): Followed {
    this.pair = pair
    this.since = Date.now()
    return super.take(pair)
  }
}

/** All certificates in use, by the two files they come from. Looked after by one timer. */
export class Certificates {
  private readonly live = new Set<DoorCertificate>()
  private readonly log: Logger
  private timer: NodeJS.Timeout | null = null

  constructor(log: Logger) {
    this.log = log
  }

  /**
   * Reads a pair for the first time and follows it from now on. `lenient` is for a start from what was in force: a
   * certificate that has expired meanwhile is better than none, and told.
   */
  async take(
    files: TlsFiles,
    { hosts, lenient }: { hosts: readonly string[]; lenient: boolean },
  ): Promise<Result<DoorCertificate>> {
    const stamp = await stampOf(files)
    const found = lenient ? await readPair(files) : await readFit(files, hosts)
    if (found.kind === 'failed') return found
    const certificate = new DoorCertificate(files, { pair: found.value, stamp, hosts })
    this.live.add(certificate)
    this.timer ??= setInterval(() => void this.followAll(), CERTIFICATE_POLL_MS).unref()
    return ok(certificate)
  }

  drop(certificate: DoorCertificate): void {
    this.live.delete(certificate)
    if (this.live.size > 0 || this.timer === null) return
    clearInterval(this.timer)
    this.timer = null
  }

  private async followAll(): Promise<void> {
    await Promise.all([...this.live].map((certificate) => this.follow(certificate)))
  }

  private async follow(certificate: DoorCertificate): Promise<void> {
    const followed = await certificate.follow()
    if (followed === null) return
    if (followed.kind === 'stays') {
      this.log.error({ problem: followed.problem }, 'certificate not taken over')
      return
    }
    certificate.onTaken()
    const { files, pair } = certificate
    this.log.info(
      { certificate: files.certificate, validUntil: dateText(pair.validUntil) },
      'certificate taken over',
    )
  }
}
