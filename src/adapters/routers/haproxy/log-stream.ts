import { setTimeout as pause } from 'node:timers/promises'
import type { Log } from '../../../ports/log.ts'
import type { MetricAnswer, MetricSource } from '../../../ports/metric.ts'
import { entryOf } from '../../tools/fenced-routes.ts'
import { testOf } from '../../tools/log-arms.ts'
import { type Limited, LogCounts } from '../../tools/log-counts.ts'
import type { Sight } from './drains.ts'
import type { Keeper } from './keeper.ts'
import { readLine } from './log-line.ts'
import { LogReaders } from './log-readers.ts'
import { frontendOf, serverOf } from './names.ts'
import type { KeptHere } from './own.ts'
import { Totals } from './totals.ts'
import { again, type Worker } from './worker.ts'

/** How long a line may take on a busy machine: a thousandth of it is usual. */
const LINES_COME_MS = 500
const LOOK_AGAIN_MS = 20

/** The counters that come from the log of HAProxy, held against HAProxy's own totals. */
export class LogStream {
  private readonly counts: LogCounts
  private readonly totals = new Totals()
  private readonly readers: LogReaders
  /** Names behind the hashes in a line. */
  private services = new Map<string, string>()
  private releases = new Map<string, string>()

  constructor({ folder, log, now }: { folder: string; log: Log; now: () => number }) {
    this.readers = new LogReaders({ folder, log, take: (text) => this.take(text) })
    this.counts = new LogCounts({ router: 'HAProxy', now })
  }

  /** From now on what this worker tells is counted. */
  follow(worker: Worker): Promise<void> {
    return this.readers.follow(worker)
  }

  /** Before the first request can come to a new server. */
  learn({ services, drains }: KeptHere): void {
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
  async see(kept: KeptHere, sight: Sight): Promise<void> {
    this.learn(kept)
    this.totals.see(sight)
    await this.readers.letGo(sight)
  }

  /** What was over at the last look and no line has told of, once the lines had their time. */
  private async settle(): Promise<void> {
    const over = this.totals.over()
    const end = performance.now() + LINES_COME_MS
    let missing = this.totals.missing(over)
    while ([...missing.values()].some((count) => count > 0) && performance.now() < end) {
      this.readers.readOn()
      await pause(LOOK_AGAIN_MS)
      missing = this.totals.missing(over)
    }
    // Then nothing can be said yet: the next question finds it.
    if (this.readers.isBehind) return
    for (const service of this.services.values())
      this.counts.missed(service, missing.get(frontendOf(service)) ?? 0)
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
        await this.settle()
        return this.counts.answer(service)
      },
    }
  }

  /** What limits of the service turned away. */
  limitedOf(service: string): Limited {
    return this.counts.limitedOf(service)
  }

  close(): void {
    this.readers.close()
  }

  private take(text: string): void {
    const line = readLine(text)
    if (line === null) return
    const service = this.services.get(line.frontend)
    this.totals.told(line)
    if (service === undefined) return
    const release = line.server === null ? null : (this.releases.get(line.server) ?? null)
    if (line.server !== null && release === null) return
    this.counts.take({ ...line, service, release })
  }
}
