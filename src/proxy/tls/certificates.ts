import { stat } from 'node:fs/promises'
import type { Logger } from 'pino'
import type { TlsFiles } from '../../core/shared/entry.ts'
import type { Problem } from '../../core/shared/problem.ts'
import { failed, ok, type Result } from '../../core/shared/result.ts'
import type { ShownCertificate } from '../../core/shared/router-state.ts'
import { CERTIFICATE_POLL_MS } from '../limits.ts'
import { dateText, expiryWarning, namesIn, type Pair, pairProblem, readPair } from './pair.ts'

/** The certificate of a service: what is shown to clients now, and who follows its files. */
export class LiveCertificate {
  readonly files: TlsFiles
  pair: Pair
  /** Of whoever has it; its names must be covered by what comes next. */
  hosts: readonly string[]
  /** Another pair is shown from now on. */
  onTaken: () => void = () => undefined
  private problem: Problem | null = null
  /** Of the files that were read last, whatever came of it. */
  private seen: string
  /** Seen once with a problem: perhaps only one of the two files is written yet. */
  private doubted: string | null = null

  constructor(
    files: TlsFiles,
    { pair, stamp, hosts }: { pair: Pair; stamp: string; hosts: readonly string[] },
  ) {
    this.files = files
    this.pair = pair
    this.seen = stamp
    this.hosts = hosts
  }

  shown(now: number): ShownCertificate {
    const { files, hosts, pair } = this
    const own = pairProblem(pair, { files, hosts: [...hosts], now }) ?? expiryWarning(pair, { files, now })
    return { validUntil: pair.validUntil, names: namesIn(pair.certificate), problem: this.problem ?? own }
  }

  /** Takes over what is in the files when they changed and are whole; else the pair from before stays. */
  async follow(log: Logger): Promise<void> {
    const stamp = await stampOf(this.files)
    if (stamp === this.seen) return
    const [found, after] = [await readFit(this.files, this.hosts), await stampOf(this.files)]
    // Written while it was read: the next look sees the whole of it.
    if (after !== stamp) return
    if (found.kind === 'failed' && this.doubted !== stamp) {
      this.doubted = stamp
      return
    }
    this.seen = stamp
    this.doubted = null
    if (found.kind === 'failed') this.stay(found.problem, log)
    else this.take(found.value, log)
  }

  private take(pair: Pair, log: Logger): void {
    this.pair = pair
    this.problem = null
    this.onTaken()
    log.info(
      { certificate: this.files.certificate, validUntil: dateText(pair.validUntil) },
      'certificate taken over',
    )
  }

  private stay(problem: Problem, log: Logger): void {
    const kept = `The certificate from before is in use until ${dateText(this.pair.validUntil)}.`
    this.problem = { ...problem, message: `${problem.message} ${kept}` }
    log.error({ problem: this.problem }, 'certificate not taken over')
  }
}

/** All certificates in use, by the two files they come from. Looked after by one timer. */
export class Certificates {
  private readonly live = new Set<LiveCertificate>()
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
  ): Promise<Result<LiveCertificate>> {
    const stamp = await stampOf(files)
    const found = lenient ? await readPair(files) : await readFit(files, hosts)
    if (found.kind === 'failed') return found
    const certificate = new LiveCertificate(files, { pair: found.value, stamp, hosts })
    this.live.add(certificate)
    this.timer ??= setInterval(() => void this.followAll(), CERTIFICATE_POLL_MS).unref()
    return ok(certificate)
  }

  drop(certificate: LiveCertificate): void {
    this.live.delete(certificate)
    if (this.live.size > 0 || this.timer === null) return
    clearInterval(this.timer)
    this.timer = null
  }

  private async followAll(): Promise<void> {
    await Promise.all([...this.live].map((certificate) => certificate.follow(this.log)))
  }
}

async function readFit(files: TlsFiles, hosts: readonly string[]): Promise<Result<Pair>> {
  const read = await readPair(files)
  if (read.kind === 'failed') return read
  const wrong = pairProblem(read.value, { files, hosts: [...hosts], now: Date.now() })
  return wrong === null ? read : failed(wrong)
}

/** Changes whenever one of the two files is another one: links are followed, and a renamed file has another inode. */
async function stampOf({ certificate, key }: TlsFiles): Promise<string> {
  const stamps = await Promise.all([certificate, key].map(stampOfFile))
  return stamps.join(' ')
}

async function stampOfFile(path: string): Promise<string> {
  try {
    const { ino, size, mtimeMs, ctimeMs } = await stat(path)
    return `${ino}:${size}:${mtimeMs}:${ctimeMs}`
  } catch {
    return 'none'
  }
}
