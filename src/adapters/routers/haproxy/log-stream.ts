import { join } from 'node:path'
import type { Log } from '../../../ports/log.ts'
import type { MetricAnswer, MetricSource } from '../../../ports/metric.ts'
import { entryOf } from '../../tools/fenced-routes.ts'
import { testOf } from '../../tools/log-arms.ts'
import { LogCounts } from '../../tools/log-counts.ts'
import { LogFile, READ_EVERY_MS, recordIn } from '../../tools/log-file.ts'
import type { Sight } from './drains.ts'
import { REQUESTS_LOG } from './files.ts'
import type { Keeper } from './keeper.ts'
import { readLine } from './log-line.ts'
import { frontendOf, serverOf } from './names.ts'
import type { KeptHere } from './own.ts'
import { Totals } from './totals.ts'
import { again } from './worker.ts'

/** Of those that are gone, the latest. */
const KNOWN_SERVERS = 1_000

/** The counters that come from the log of HAProxy, held against HAProxy's own totals. */
export class LogStream {
  private readonly counts: LogCounts
  private readonly totals = new Totals()
  private readonly lines: LogFile
  private readonly now: () => number
  private timer: NodeJS.Timeout | null = null
  /** Names behind the hashes in a line, the latest last: a line may be read when its server is gone. */
  private services = new Map<string, string>()
  private readonly releases = new Map<string, string>()

  constructor({ folder, log, now }: { folder: string; log: Log; now: () => number }) {
    this.now = now
    this.counts = new LogCounts({ router: 'HAProxy', now })
    this.lines = new LogFile({ path: join(folder, REQUESTS_LOG), take: (line) => this.take(line), log })
  }

  /** Lines of before are left out. Repeatable. */
  async open(): Promise<void> {
    await this.lines.open()
    this.timer ??= setInterval(() => void this.lines.read(), READ_EVERY_MS).unref()
  }

  /** Before the first request can come to a new server. */
  learn({ services, drains }: KeptHere): void {
    this.services = new Map(Object.keys(services).map((service) => [frontendOf(service), service]))
    const entries = Object.values(services).flatMap(({ sets }) =>
      sets.flatMap(({ release, instances }) => instances.map((instance) => ({ release, instance }))),
    )
    for (const { release, instance } of [...Object.values(drains).flat(), ...entries]) {
      const server = serverOf(release, instance)
      this.releases.delete(server)
      this.releases.set(server, release)
    }
    for (const server of this.releases.keys()) {
      if (this.releases.size <= Math.max(KNOWN_SERVERS, 2 * entries.length)) break
      this.releases.delete(server)
    }
    for (const routes of Object.values(services)) {
      const inUse = routes.sets.map(({ release }) => release)
      this.counts.expect(routes.service, inUse, { test: testOf(routes) })
    }
  }

  /** What HAProxy has, seen just now: the lines of all that was over then are on their way at most. */
  async see(kept: KeptHere, sight: Sight): Promise<void> {
    this.learn(kept)
    await this.lines.read()
    this.totals.see(sight, this.now())
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
    clearInterval(this.timer ?? undefined)
    await this.lines.close()
  }

  private take(text: string): void {
    const record = recordIn(text)
    const line = record === null ? null : readLine(record)
    if (line === null) return
    const service = this.services.get(line.frontend)
    this.totals.told(line)
    if (service === undefined) return
    const release = line.server === null ? null : (this.releases.get(line.server) ?? null)
    if (line.server !== null && release === null) return
    this.counts.take({ ...line, service, release })
  }
}
