import { ok, type Result } from '../../../core/shared/result.ts'
import type { Log } from '../../../ports/log.ts'
import type { FencedRoutes } from '../../tools/fenced-routes.ts'
import type { LogCounts } from '../../tools/log-counts.ts'
import { Watch } from '../../tools/watch.ts'
import { configurationOf, untouchedDigest } from './configuration.ts'
import {
  type Cut,
  cutsOf,
  deadlineOf,
  drainKey,
  drainsNow,
  isLeft,
  openDrainsOf,
  placesOf,
} from './drains.ts'
import { digestInForce } from './in-force.ts'
import { type NginxKept, type Own, servedOf } from './kept.ts'
import type { Worker } from './processes.ts'
import { type Look, type Program, tell } from './program.ts'
import { type LeavingWorker, type Traffic, trafficOf } from './traffic.ts'

export type UpkeepOptions = {
  fenced: FencedRoutes<Own>
  program: Program
  counts: LogCounts
  log: Log
  now: () => number
  /** Puts into force what is kept. */
  apply: (kept: NginxKept) => Promise<Result<void>>
}

/** Sees to what a change left behind: old workers end at their limits, and drains once nothing is left. */
export class Upkeep {
  private readonly options: UpkeepOptions
  /** Of workers that left without us: somebody reloaded nginx by hand. */
  private readonly firstSeen = new Map<string, number>()
  /** For as long as a change has something left. Whoever reads the state looks, too. */
  readonly watch = new Watch(WATCH_MS, () => this.lookAgain())

  constructor(options: UpkeepOptions) {
    this.options = options
  }

  private async lookAgain(): Promise<boolean> {
    try {
      return await this.lookAround()
    } catch (error) {
      this.options.log.warn('what a change of nginx left behind could not be seen to', {
        error: String(error),
      })
      return true
    }
  }

  /** Whether something of a change is left. A process that is seen for one moment only, or not for one, proves nothing. */
  private async lookAround(): Promise<boolean> {
    const look = await this.options.program.look()
    const kept = await this.options.fenced.read()
    if (look === null || kept.kind === 'failed') return true
    const after = await this.see(kept.value, look, await this.traffic(look))
    return look.workers.some(({ isLeaving }) => isLeaving) || openDrainsOf(after).length > 0
  }

  async traffic(look: Look): Promise<Traffic> {
    const totals = await this.options.program.control.totals()
    // The question itself is one of those that are busy.
    return await trafficOf(look, totals === null ? null : totals.busy - 1)
  }

  /** Called outside of a turn. Answers with what is kept then. */
  async see(kept: NginxKept, look: Look, traffic: Traffic): Promise<NginxKept> {
    await this.options.program.closing.endIfLeft(this.options.now())
    if (!this.isNeeded(await this.dueOfOurs(kept, look, traffic))) return kept
    const { fenced, program, log, apply } = this.options
    const done = await fenced.inTurn(async (latest) => {
      // Another controller may have done it while this one waited, and a pid is only good for what was just seen.
      const current = await program.look()
      if (current === null) return ok(latest)
      const due = await this.dueOfOurs(latest, current, await this.traffic(current))
      if (!this.isNeeded(due)) return ok(latest)
      const hasLost = due.overdue.length > 0 || due.hasDied
      const next = this.act(hasLost ? withNewPlaces(latest) : latest, due)
      const saved = await fenced.save(next)
      if (saved.kind === 'failed' || next.own.round === latest.own.round)
        return saved.kind === 'ok' ? ok(next) : saved
      const applied = await apply(next)
      return applied.kind === 'ok' ? await fenced.read() : applied
    })
    if (done.kind === 'ok') return done.value
    log.warn('drains of nginx could not be kept', { problem: done.problem })
    return kept
  }

  /** Old workers that are still there keep their time; for others it begins now. */
  leavingOf({ own }: NginxKept, workers: readonly Worker[]): Record<string, number> {
    const left = workers.filter(({ isLeaving }) => isLeaving)
    return Object.fromEntries(left.map(({ id }) => [id, own.leaving[id] ?? this.options.now()]))
  }

  /** What somebody changed by hand stays: places that were lost are no reason to write over it. */
  private async dueOfOurs(kept: NginxKept, look: Look, traffic: Traffic): Promise<Due> {
    const due = this.due(kept, look, traffic)
    if (!due.hasDied) return due
    return { ...due, hasDied: untouchedDigest(await this.options.program.text()) === look.digest }
  }

  private due(kept: NginxKept, look: Look, { leaving }: Traffic): Due {
    const now = this.options.now()
    const places = placesOf(kept)
    const overdue = leaving
      .map((left) => ({ ...left, since: this.since(kept, left.worker) }))
      .filter(({ connections }) => connections.length > 0)
      .filter(({ connections, since }) => deadlineOf(connections, { places, leavingSince: since }) <= now)
      .map((left) => ({
        ...left,
        cuts: cutsOf(left.connections, { places, ageMs: Math.max(0, now - left.since) }),
      }))
    const connections = leaving.map((left) => left.connections)
    const open = isInForce(kept, look, this.options.program) ? openDrainsOf(kept) : []
    const ended = open.filter(({ drain }) => isLeft(connections, drain, places))
    const hasDied = hasLimitedPlaces(kept) && hasLostWorker(kept, look)
    return { overdue, hasDied, ended: new Set(ended.map(({ service, drain }) => drainKey(service, drain))) }
  }

  private isNeeded({ overdue, ended, hasDied }: Due): boolean {
    return overdue.length > 0 || ended.size > 0 || hasDied
  }

  private act(kept: NginxKept, { overdue, ended }: Due): NginxKept {
    const { counts, log, now } = this.options
    for (const { worker, cuts } of overdue) {
      tell(worker.pid, 'SIGTERM')
      log.info('an old worker of nginx was ended at its limit', { pid: worker.pid, cut: cuts.length })
    }
    const cuts = overdue.flatMap((one) => one.cuts)
    for (const { place, request } of cuts)
      counts.cut({ service: place.service, release: place.release, ms: request.ageMs })
    return drainsNow(kept, { cuts, ended, now: now() })
  }

  private since({ own }: NginxKept, { id }: Worker): number {
    const known = own.leaving[id] ?? this.firstSeen.get(id)
    if (known !== undefined) return known
    if (this.firstSeen.size > MOST_SEEN) this.firstSeen.clear()
    const now = this.options.now()
    this.firstSeen.set(id, now)
    return now
  }
}

const MOST_SEEN = 1_000
/** How late a limit may be noticed. */
const WATCH_MS = 200

type Due = { overdue: (LeavingWorker & { cuts: Cut[] })[]; ended: ReadonlySet<string>; hasDied: boolean }

/** The change that began these drains is in force: before that workers may still send somebody there. */
function isInForce(kept: NginxKept, look: Look, { ground }: Program): boolean {
  return configurationOf({ services: servedOf(kept), ...ground }).digest === digestInForce(look, kept)
}

/**
 * A worker that ends in the middle of requests never gives back the places that they had inside of a limit, and a service
 * would take less and less. So they are counted anew from then on.
 */
const withNewPlaces = (kept: NginxKept): NginxKept =>
  hasLimitedPlaces(kept) ? { ...kept, own: { ...kept.own, round: kept.own.round + 1 } } : kept

const hasLimitedPlaces = ({ services }: NginxKept): boolean =>
  Object.values(services).some(({ limits }) => limits?.requests !== undefined)

/** One of those that we proved is gone, and the configuration is still the same: it died, or somebody reloaded by hand. */
function hasLostWorker({ own: { proved } }: NginxKept, { digest, workers }: Look): boolean {
  if (proved === null || proved.digest !== digest) return false
  const there = new Set(workers.map(({ id }) => id))
  return proved.workers.some((id) => !there.has(id))
}
