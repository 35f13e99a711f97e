import { stat } from 'node:fs/promises'
import type { TlsFiles } from '../core/shared/entry.ts'
import type { Problem } from '../core/shared/problem.ts'
import { failed, type Result } from '../core/shared/result.ts'
import type { ShownCertificate } from '../core/shared/router-state.ts'
import { dateText, expiryWarning, type Leaf, namesIn, type Pair, pairProblem, readPair } from './pair.ts'

/** What a look at the files found: another pair that fits, or one that does not, and the pair from before stays. */
export type Followed = { kind: 'taken'; pair: Pair } | { kind: 'stays'; problem: Problem }

/** Files of certificates are looked at this often; a renewal is in use soon after. */
export const CERTIFICATE_POLL_MS = 2_000

/** Of files that nobody read yet. */
export const UNSEEN = ''

/** The certificate of a service: what is shown to clients now, and who follows its files. */
export class LiveCertificate {
  readonly files: TlsFiles
  leaf: Leaf
  /** Of whoever has it; its names must be covered by what comes next. */
  hosts: readonly string[]
  private problem: Problem | null = null
  /** Of the files that were read last, whatever came of it. */
  private seen: string
  /** Seen once with a problem: perhaps only one of the two files is written yet. */
  private doubted: string | null = null

  constructor(
    files: TlsFiles,
    { leaf, stamp, hosts }: { leaf: Leaf; stamp: string; hosts: readonly string[] },
  ) {
    this.files = files
    this.leaf = leaf
    this.seen = stamp
    this.hosts = hosts
  }

  shown(now: number): ShownCertificate {
    const { files, hosts, leaf } = this
    const own = pairProblem(leaf, { files, hosts: [...hosts], now }) ?? expiryWarning(leaf, { files, now })
    return { validUntil: leaf.validUntil, names: namesIn(leaf.certificate), problem: this.problem ?? own }
  }

  /** Looks at the files when they changed, and takes them over when they are whole; `null` while there is nothing new. */
  async follow(): Promise<Followed | null> {
    const stamp = await stampOf(this.files)
    if (stamp === this.seen) return null
    const [found, after] = [await readFit(this.files, this.hosts), await stampOf(this.files)]
    // Written while it was read: the next look sees the whole of it.
    if (after !== stamp) return null
    if (found.kind === 'failed' && this.doubted !== stamp) {
      this.doubted = stamp
      return null
    }
    this.seen = stamp
    this.doubted = null
    return found.kind === 'failed' ? this.stay(found.problem) : this.take(found.value)
  }

  /** The next look reads the files, whether they changed or not. */
  reconsider(): void {
    this.seen = UNSEEN
  }

  protected take(pair: Pair): Followed {
    this.leaf = pair
    this.problem = null
    return { kind: 'taken', pair }
  }

  /** For who finds out later that the pair cannot be used, too. */
  stay(problem: Problem): Followed {
    const kept = `The certificate from before is in use until ${dateText(this.leaf.validUntil)}.`
    this.problem = { ...problem, message: `${problem.message} ${kept}` }
    return { kind: 'stays', problem: this.problem }
  }
}

/** A pair that may be put in front of users now, for all of these hosts. */
export async function readFit(files: TlsFiles, hosts: readonly string[]): Promise<Result<Pair>> {
  const read = await readPair(files)
  if (read.kind === 'failed') return read
  const wrong = pairProblem(read.value, { files, hosts: [...hosts], now: Date.now() })
  return wrong === null ? read : failed(wrong)
}

/** Changes whenever one of the two files is another one: links are followed, and a renamed file has another inode. */
export async function stampOf({ certificate, key }: TlsFiles): Promise<string> {
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
