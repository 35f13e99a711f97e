import { MirrorCounts, type SideEnd } from '../../core/shared/mirror-counts.ts'
import type { ServiceRoutes } from '../../core/shared/routes.ts'
import type { ShadowCounts } from '../../core/shared/traffic-counts.ts'
import { saltWord } from './log-arms.ts'

/** What a user's line tells of its copy. */
export type CopiedLine = {
  /** `saltWord` of the copying. */
  copying: string
  /** Stands in the line of the copy, too; `null` where the body was too large to be copied. */
  id: string | null
  /** From the complete request to the head of the answer: what a copy is timed by as well. */
  ms: number
}

/** How a copy ended. `busy`: as many were under way as there may be, so it was not sent. */
export type CopyLine = {
  service: string
  copying: string
  id: string
  end: SideEnd | { kind: 'busy' } | { kind: 'unfinished' }
}

/** The copying that these routes have. */
export const copyingOf = ({ mirror }: Pick<ServiceRoutes, 'mirror'>): Copying | null =>
  mirror === null ? null : { salt: mirror.salt, release: mirror.release }
export type Copying = { salt: string; release: string }

/** Halves of pairs that wait for the other. The line of a user comes after that of the copy, which is over by then. */
const MOST_HALVES = 2_000

type Half = { user: SideEnd | null } | { copy: CopyLine['end'] }

/** Pairs of users' requests and their copies, put together from log lines. */
export class LogShadow {
  readonly copying: Copying
  private readonly word: string
  private readonly counts: MirrorCounts
  private readonly halves = new Map<string, Half>()

  constructor(copying: Copying) {
    this.copying = copying
    this.word = saltWord(copying.salt)
    this.counts = new MirrorCounts(copying.salt, copying.release)
  }

  /** `end` is `null` where the user left before there was an answer. */
  takeUser({ copying, id }: Pick<CopiedLine, 'copying' | 'id'>, end: SideEnd | null): void {
    if (copying !== this.word) return
    if (id === null) this.counts.passOver('large')
    else this.take(id, { user: end })
  }

  takeCopy({ copying, id, end }: Pick<CopyLine, 'copying' | 'id' | 'end'>): void {
    if (copying === this.word) this.take(id, { copy: end })
  }

  /** The same copying, from zero. */
  anew(): LogShadow {
    return new LogShadow(this.copying)
  }

  report(): ShadowCounts {
    return this.counts.report()
  }

  private take(id: string, half: Half): void {
    const other = this.halves.get(id)
    if (other === undefined) {
      this.halves.set(id, half)
      this.forgetOldest()
      return
    }
    this.halves.delete(id)
    const both = { ...other, ...half }
    if ('user' in both && 'copy' in both) this.compare(both.user, both.copy)
  }

  private compare(user: SideEnd | null, copy: CopyLine['end']): void {
    if (copy.kind === 'busy') this.counts.passOver('busy')
    else if (user === null || copy.kind === 'unfinished') this.counts.passOver('unfinished')
    // Bodies are in no log.
    else this.counts.compare(user, copy, () => 'same')
  }

  /** The line of its other half was lost. */
  private forgetOldest(): void {
    if (this.halves.size <= MOST_HALVES) return
    const [oldest] = this.halves.keys()
    if (oldest === undefined) return
    this.halves.delete(oldest)
    this.counts.passOver('unfinished')
  }
}
