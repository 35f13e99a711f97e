import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Log } from '../../../ports/log.ts'
import type { LogCounts } from '../../tools/log-counts.ts'
import { type Line, LogFile, READ_EVERY_MS } from '../../tools/log-file.ts'
import type { Control, Totals } from './control.ts'
import { type Break, readBroken, readLine } from './log-line.ts'
import { BROKEN_LOG, FLUSH_MS, REQUESTS_LOG } from './request-log.ts'

/** How much later than it should a worker may write its lines, before they are taken for missing. */
const LATE_MS = 50
/** Connections whose answer was broken off, until their own line comes, which is at once. */
const BROKEN_KEPT = 1_000

export type LinesOptions = {
  folder: string
  counts: LogCounts
  control: Control
  log: Log
}

/**
 * The lines that nginx writes of each request, and what is missing of them. Each line has the time at which its request
 * was over, by the clock that also stands beside nginx's own totals. So once all lines until then are read, the requests
 * of these totals that no line told of are missing.
 */
export class Lines {
  private readonly options: LinesOptions
  private readonly requests: LogFile
  private readonly errors: LogFile
  private readonly broken = new Map<string, Break>()
  /** Lines so far, those of our own questions too. */
  private seen = 0
  /** Times of the lines that were read since the totals were asked for. */
  private recent: number[] | null = null
  private base: { master: string; offset: number; missing: number } | null = null
  private counting: Promise<boolean> | null = null
  private opening: Promise<void> | null = null
  private timer: NodeJS.Timeout | null = null

  constructor(options: LinesOptions) {
    const { folder, log } = options
    this.options = options
    const file = (name: string, take: (line: Line) => void) =>
      new LogFile({ path: path.join(folder, name), take, log })
    this.requests = file(REQUESTS_LOG, (line) => this.take(line))
    this.errors = file(BROKEN_LOG, (line) => this.takeError(line))
  }

  /** Lines of before are left out, also those that nginx has not written yet. Repeatable. */
  open(): Promise<void> {
    this.opening ??= this.openFiles()
    return this.opening
  }

  private async openFiles(): Promise<void> {
    if ((await this.requests.size()) > 0) await pause(FLUSH_MS + LATE_MS)
    await this.errors.open()
    await this.requests.open()
    this.timer ??= setInterval(() => void this.read(), READ_EVERY_MS).unref()
  }

  async close(): Promise<void> {
    await this.opening
    clearInterval(this.timer ?? undefined)
    await this.requests.close()
    await this.errors.close()
  }

  /** Counts what is missing of all requests until now. `false`: nginx cannot be asked. */
  account(master: string): Promise<boolean> {
    this.counting ??= this.accountNow(master).finally(() => {
      this.counting = null
    })
    return this.counting
  }

  /** A request is over for nginx a moment before its line has its time, or after: what is missing must be so twice. */
  private async accountNow(master: string): Promise<boolean> {
    const first = await this.untold()
    if (first === null) return false
    const isKnown = this.base?.master === master
    if (isKnown && first - (this.base?.offset ?? 0) <= (this.base?.missing ?? 0)) return true
    const second = await this.untold()
    if (second === null) return false
    if (this.base?.master !== master) {
      this.base = { master, offset: Math.max(first, second), missing: 0 }
      return true
    }
    const missing = Math.min(first, second) - this.base.offset
    if (missing > this.base.missing) {
      this.options.counts.missedByAll(missing - this.base.missing)
      this.base.missing = missing
    }
    return true
  }

  /** Requests that were over at one moment, less those that lines told of until then. */
  private async untold(): Promise<number | null> {
    const recent: number[] = []
    this.recent = recent
    const totals = await this.options.control.totals()
    if (totals === null) return null
    await pause(FLUSH_MS + LATE_MS)
    await this.read()
    const later = recent.filter((atS) => atS > totals.atS).length
    return finishedOf(totals) - (this.seen - later)
  }

  /** The error of a request is written before its line. */
  private async read(): Promise<void> {
    const until = await this.requests.size()
    await this.errors.read()
    await this.requests.read(until)
  }

  private take(line: Line): void {
    const reading = readLine(line, (connection, address) => this.takeBroken(connection, address))
    if (reading === null) return
    if (reading.kind === 'copy') {
      this.options.counts.takeCopy(reading.line)
      return
    }
    this.seen += 1
    if (reading.kind === 'foreign') return
    this.recent?.push(reading.atS)
    if (reading.kind === 'request') this.options.counts.take(reading.line)
  }

  private takeError(line: Line): void {
    const broken = readBroken(line)
    if (broken === null) return
    if (this.broken.size >= BROKEN_KEPT) this.broken.clear()
    this.broken.set(keyOf(broken.connection, broken.address), broken.how)
  }

  private takeBroken(connection: number, address: string): Break | null {
    if (this.broken.size === 0) return null
    const key = keyOf(connection, address)
    const how = this.broken.get(key) ?? null
    this.broken.delete(key)
    return how
  }
}

const keyOf = (connection: number, address: string): string => `${connection} ${address}`
const finishedOf = ({ requests, busy }: Totals): number => requests - busy
