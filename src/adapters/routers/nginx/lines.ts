import { randomUUID } from 'node:crypto'
import { type Datagrams, receiveDatagrams } from '../../tools/datagrams.ts'
import type { LogCounts } from '../../tools/log-counts.ts'
import type { Control, Totals } from './control.ts'
import { readLine } from './log-line.ts'
import type { LogPlace } from './service.ts'

/** A line of our own question is there before its answer; this long on a machine that is busy with everything else. */
const ARRIVAL_MS = 1_000
/** Connections whose answer was broken off, until their own line comes, which is at once. */
const BROKEN_KEPT = 1_000

export type LinesOptions = {
  counts: LogCounts
  control: Control
}

/**
 * The lines that nginx sends of each request, and what is missing of them. Datagrams of one machine arrive in the order
 * in which they were sent. So when the line of our own question for nginx's totals is there, all lines of the requests in
 * these totals have been, or are lost.
 */
export class Lines {
  private readonly options: LinesOptions
  private receiver: Datagrams | null = null
  private place: LogPlace | null = null
  private readonly broken = new Map<string, 'reset' | 'timeout'>()
  private readonly awaited = new Map<string, (seen: number) => void>()
  /** Lines so far, those of our own questions too. */
  private seen = 0
  private base: { master: string; offset: number; missing: number } | null = null
  private counting: Promise<boolean> | null = null

  constructor(options: LinesOptions) {
    this.options = options
  }

  /** Receives where it did before, so that nginx need not be told; elsewhere when somebody has that place. */
  async open(wanted: LogPlace | null): Promise<LogPlace> {
    if (this.place !== null) return this.place
    const key = wanted?.key ?? randomUUID().replaceAll('-', '')
    const take = (datagram: Buffer) => this.take(datagram, key)
    try {
      this.receiver = await receiveDatagrams(wanted?.port ?? 0, take)
    } catch {
      this.receiver = await receiveDatagrams(0, take)
    }
    this.place = { port: this.receiver.port, key }
    return this.place
  }

  async close(): Promise<void> {
    await this.receiver?.close()
    this.receiver = null
    this.place = null
  }

  /** Counts what is missing of all requests until now. `false`: nginx cannot be asked, or its lines do not come to us. */
  account(master: string): Promise<boolean> {
    this.counting ??= this.accountNow(master).finally(() => {
      this.counting = null
    })
    return this.counting
  }

  private async accountNow(master: string): Promise<boolean> {
    const first = await this.look()
    if (first === null) return false
    if (this.base?.master !== master) {
      this.base = { master, offset: first.finished - first.seen, missing: 0 }
      return true
    }
    if (missingOf(first, this.base) <= this.base.missing) return true
    // A request is over for nginx a moment before its line is sent: what is missing must be so twice.
    const second = await this.look()
    if (second === null) return false
    const missing = Math.min(missingOf(first, this.base), missingOf(second, this.base))
    if (missing > this.base.missing) {
      this.options.counts.missedByAll(missing - this.base.missing)
      this.base.missing = missing
    }
    return true
  }

  /** The question itself is under way while it is answered, so it is in `busy`. */
  private async look(): Promise<Look | null> {
    for (let attempt = 0; attempt < 2; attempt += 1) {
      const id = randomUUID()
      const arrival = this.arrivalOf(id)
      const totals = await this.options.control.totals(id)
      const seen = totals === null ? null : await arrival
      this.awaited.delete(id)
      if (totals === null) return null
      if (seen !== null) return { seen, finished: finishedOf(totals) }
    }
    return null
  }

  private arrivalOf(id: string): Promise<number | null> {
    return new Promise((resolve) => {
      const deadline = setTimeout(() => resolve(null), ARRIVAL_MS)
      this.awaited.set(id, (seen) => {
        clearTimeout(deadline)
        resolve(seen)
      })
    })
  }

  private take(datagram: Buffer, key: string): void {
    const reading = readLine(datagram.toString('utf8'), key, (connection) => this.takeBroken(connection))
    if (reading === null) return
    switch (reading.kind) {
      case 'request':
        this.seen += 1
        this.options.counts.take(reading.line)
        return
      case 'control':
        this.awaited.get(reading.id)?.(this.seen)
        this.seen += 1
        return
      case 'broken':
        if (this.broken.size >= BROKEN_KEPT) this.broken.clear()
        this.broken.set(reading.connection, reading.how)
    }
  }

  private takeBroken(connection: string): 'reset' | 'timeout' | null {
    if (this.broken.size === 0) return null
    const how = this.broken.get(connection) ?? null
    this.broken.delete(connection)
    return how
  }
}

type Look = { seen: number; finished: number }

const finishedOf = ({ requests, busy }: Totals): number => requests - busy
const missingOf = ({ seen, finished }: Look, { offset }: { offset: number }): number =>
  finished - offset - seen
