import type { Log } from '../../../ports/log.ts'
import type { MetricAnswer, MetricSource } from '../../../ports/metric.ts'
import { type Datagrams, receiveDatagrams } from '../../tools/datagrams.ts'
import { entryOf } from '../../tools/fenced-routes.ts'
import { testOf } from '../../tools/log-arms.ts'
import { LogCounts } from '../../tools/log-counts.ts'
import type { Sight } from './drains.ts'
import type { Keeper } from './keeper.ts'
import { readLine } from './log-line.ts'
import { frontendOf, serverOf } from './names.ts'
import type { KeptHere } from './own.ts'
import { Totals } from './totals.ts'
import { again } from './worker.ts'

/** The counters that come from the log of HAProxy, held against HAProxy's own totals. */
export class LogStream {
  private readonly log: Log
  private readonly counts: LogCounts
  private readonly totals = new Totals()
  private receiver: Datagrams | null = null
  private opening: Promise<void> | null = null
  private closed = false
  private word = ' '
  /** Names behind the hashes in a line. */
  private services = new Map<string, string>()
  private releases = new Map<string, string>()

  constructor({ log, now }: { log: Log; now: () => number }) {
    this.log = log
    this.counts = new LogCounts({ router: 'HAProxy', now })
  }

  /**
   * The port that HAProxy shall send its log to. Who comes last gets it: if an earlier controller still holds the port of
   * before, a new one is taken, and HAProxy is told.
   */
  async port(before: number): Promise<number> {
    if (this.closed) return before
    const isFirst = this.receiver === null
    this.opening ??= this.open(before)
    await this.opening
    if (before !== 0 && !isFirst) return before
    return this.receiver?.port ?? before
  }

  /** Before the first request can come to a new server. */
  learn({ services, drains, own }: KeptHere): void {
    this.word = `${own.logWord} `
    this.services = new Map(Object.keys(services).map((service) => [frontendOf(service), service]))
    const entries = Object.values(services).flatMap(({ sets }) =>
      sets.flatMap(({ release, instances }) => instances.map((instance) => ({ release, instance }))),
    )
    this.releases = new Map(
      [...entries, ...Object.values(drains).flat()].map(({ release, instance }) => [
        serverOf(release, instance),
        release,
      ]),
    )
    for (const routes of Object.values(services)) {
      const inUse = routes.sets.map(({ release }) => release)
      this.counts.expect(routes.service, inUse, { test: testOf(routes) })
    }
  }

  /** What HAProxy has, seen just now. */
  see(kept: KeptHere, sight: Sight): void {
    this.learn(kept)
    this.totals.see(sight)
    for (const service of this.services.values())
      this.counts.missed(service, this.totals.missing(frontendOf(service)))
  }

  source(keeper: Keeper, now: () => number): MetricSource {
    return {
      kind: 'haproxy-log',
      query: async (service): Promise<MetricAnswer> => {
        const kept = await keeper.read()
        if (kept.kind === 'failed') return { kind: 'failure', at: now(), problem: kept.problem }
        if (entryOf(kept.value.services, service) === null) return { kind: 'no-data', at: now() }
        const sight = await again(() => keeper.look(kept.value))
        if (sight.kind === 'failed') return { kind: 'failure', at: now(), problem: sight.problem }
        return this.counts.answer(service)
      },
    }
  }

  async close(): Promise<void> {
    this.closed = true
    await this.opening
    await this.receiver?.close()
  }

  private async open(before: number): Promise<void> {
    const take = (datagram: Buffer) => this.take(datagram.toString('latin1'))
    try {
      this.receiver = await receiveDatagrams(before, take)
    } catch (error) {
      this.log.warn('the log of haproxy moves to another port', { port: before, error })
      this.receiver = await receiveDatagrams(0, take)
    }
  }

  private take(text: string): void {
    if (!text.startsWith(this.word)) return
    const line = readLine(text.slice(this.word.length))
    if (line === null) return
    const service = this.services.get(line.frontend)
    this.totals.told(line)
    if (service === undefined) return
    const release = line.server === null ? null : (this.releases.get(line.server) ?? null)
    if (line.server !== null && release === null) return
    this.counts.take({ ...line, service, release })
  }
}
