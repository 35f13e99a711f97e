import { randomUUID } from 'node:crypto'
import { ServiceCounters, Tally } from '../../core/shared/counters.ts'
import type { SideEnd } from '../../core/shared/mirror-counts.ts'
import { type Problem, problem } from '../../core/shared/problem.ts'
import type { RouterState } from '../../core/shared/router-state.ts'
import type { ServiceCounts } from '../../core/shared/traffic-counts.ts'
import type { MetricAnswer } from '../../ports/metric.ts'
import { LogArms, type Visit, type WatchedTest } from './log-arms.ts'
import { type CopiedLine, type Copying, type CopyLine, LogShadow } from './log-shadow.ts'

/** How a request ended. `cut`: by the router, because a drain limit ran out. */
export type LogEnd = 'complete' | 'connect-failed' | 'reset' | 'timeout' | 'client-abort' | 'cut'

/** One request as a router's access log tells it, read and checked. */
export type LogLine = {
  service: string
  /** Who served it; `null` where the router answered by itself. */
  release: string | null
  /** What sent it there. */
  by: 'weight' | 'rule' | 'preview'
  /** What the client was answered. */
  status: number
  /** From the request to the end of the answer. */
  ms: number
  /** `routeClass` of its method and its path. */
  route: string
  bytesIn: number
  bytesOut: number
  end: LogEnd
  /** WebSockets and event streams: their time says nothing about speed. */
  isLong: boolean
  isProbe: boolean
  /** The service is closed for a declared time: turned away by decision, counted apart from what is lost or refused. */
  isClosed: boolean
  /** The limit of the service that turned it away; absent where none did. */
  limited?: keyof Limited
  /** Attempts at other connections before the one that counts, and how many of all attempts got no connection. */
  retries: number
  connectFailures: number
  /** Of a user who takes part in an A/B test. */
  visit?: Visit
  /** Of a request that was copied to a shadow, or should have been. */
  copied?: CopiedLine
}

/** What limits of a service turned away, by the limit. */
export type Limited = NonNullable<RouterState['limited']>

/** More of a window missing than this share and nothing is said about it: what is missing may be just what failed. */
const MOST_MISSING = 0.01

/** The route class of what nobody knows the path of. */
const OTHER = 'other'

type Window = { taken: number; missing: number }
type Entry = {
  boot: string
  counters: ServiceCounters
  apart: Record<'rule' | 'preview', ServiceCounters>
  /** Of the A/B test that is on. */
  arms: LogArms | null
  /** Of the copying that is on, or was on last. */
  shadow: LogShadow | null
  /** Since the service is known here. */
  limited: Limited
  inUse: ReadonlySet<string>
  /** Lines of this service, probes too. */
  taken: number
  missing: number
  /** Since the last answer. */
  window: Window
}

/** What else there is to count besides the shares. */
export type Watched = { test?: WatchedTest | null; copying?: Copying | null }

export type LogCountsOptions = { /** As it is named to people: `nginx`. */ router: string; now: () => number }

/**
 * The counters of a router that tells about its requests by a stream of lines, which may lose some. What is lost is
 * counted too, from the router's own totals, and a window that lost more than 1% is answered with a failure and left out
 * of all counters: the next answer has a new boot and counts from zero.
 *
 * @example counts.expect('shop', ['shop@1.0.0#a']); counts.take(line); counts.answer('shop')
 */
export class LogCounts {
  private readonly services = new Map<string, Entry>()
  private readonly options: LogCountsOptions
  private everTaken = 0

  constructor(options: LogCountsOptions) {
    this.options = options
  }

  /** The service is known, with these releases: without it there are no counts of it. Repeatable. */
  expect(service: string, releases: readonly string[], { test = null, copying = null }: Watched = {}): void {
    const entry = this.services.get(service) ?? newEntry()
    this.services.set(service, entry)
    entry.inUse = new Set(releases)
    if (entry.arms?.salt !== test?.salt) entry.arms = test === null ? null : new LogArms(test)
    if (copying !== null && entry.shadow?.copying.salt !== copying.salt) entry.shadow = new LogShadow(copying)
    for (const counters of [entry.counters, entry.apart.rule, entry.apart.preview])
      counters.forgetExcept(entry.inUse)
  }

  /** The service is gone. */
  forget(service: string): void {
    this.services.delete(service)
  }

  /** Of services that are not known, too. */
  get taken(): number {
    return this.everTaken
  }

  takenOf(service: string): number {
    return this.services.get(service)?.taken ?? 0
  }

  /** What limits of the service turned away, since it is known here. */
  limitedOf(service: string): Limited {
    return { ...(this.services.get(service)?.limited ?? NONE_LIMITED) }
  }

  take(line: LogLine): void {
    this.everTaken += 1
    const entry = this.services.get(line.service)
    if (entry === undefined) return
    entry.taken += 1
    entry.window.taken += 1
    if (line.isProbe) return
    if (line.isClosed) entry.counters.closed += 1
    else count(entry, line)
  }

  /** A copy, of which nobody got the answer: it is in no other number. */
  takeCopy(line: CopyLine): void {
    this.services.get(line.service)?.shadow?.takeCopy(line)
  }

  /** A request that the router ended at a drain limit, and that no line will tell of. */
  cut({ service, release, ms }: { service: string; release: string; ms: number }): void {
    const entry = this.services.get(service)
    if (entry === undefined) return
    const tally = new Tally(entry.counters.release(release), OTHER)
    countEnd(tally, { end: 'cut', status: 0, ms, isLong: false }, () => undefined)
  }

  /** The router had so many requests of this service, since it is known here, that no line told of. Never shrinks. */
  missed(service: string, missing: number): void {
    const entry = this.services.get(service)
    if (entry === undefined || missing <= entry.missing) return
    entry.window.missing += missing - entry.missing
    entry.missing = missing
  }

  /** As `missed`, for a router that has one total for all: shared out by the requests of each service. */
  missedByAll(more: number): void {
    const entries = [...this.services.entries()]
    const all = entries.reduce((sum, [, { window }]) => sum + window.taken, 0)
    for (const [service, { missing, window }] of entries) {
      const share = all === 0 ? 1 : window.taken / all
      this.missed(service, missing + Math.ceil(more * share))
    }
  }

  answer(service: string): MetricAnswer {
    const at = this.options.now()
    const entry = this.services.get(service)
    if (entry === undefined) return { kind: 'no-data', at }
    const { window } = entry
    entry.window = { taken: 0, missing: 0 }
    if (window.missing <= MOST_MISSING * (window.taken + window.missing))
      return { kind: 'samples', at, counts: report(service, entry) }
    this.services.set(service, {
      ...newEntry(),
      limited: entry.limited,
      arms: entry.arms?.anew() ?? null,
      shadow: entry.shadow?.anew() ?? null,
      inUse: entry.inUse,
      taken: entry.taken,
      missing: entry.missing,
    })
    return { kind: 'failure', at, problem: incomplete(this.options.router, service, window) }
  }
}

const NONE_LIMITED: Limited = { requests: 0, rate: 0 }

const newEntry = (): Entry => ({
  boot: randomUUID(),
  counters: new ServiceCounters(),
  apart: { rule: new ServiceCounters(), preview: new ServiceCounters() },
  arms: null,
  shadow: null,
  limited: { ...NONE_LIMITED },
  inUse: new Set(),
  taken: 0,
  missing: 0,
  window: { taken: 0, missing: 0 },
})

function report(service: string, { boot, counters, apart, arms, shadow, missing }: Entry): ServiceCounts {
  const totals = [...apart.preview.totals('preview'), ...apart.rule.totals('rule')]
  // The counters go on counting: what is answered must not.
  return structuredClone({
    ...counters.report(service, boot),
    ...(totals.length === 0 ? {} : { apart: totals }),
    ...(arms === null ? {} : { variants: arms.report() }),
    ...(shadow === null ? {} : { shadow: shadow.report() }),
    missing,
  })
}

function count({ counters, apart, arms, shadow, limited }: Entry, line: LogLine): void {
  if (line.limited !== undefined) {
    limited[line.limited] += 1
    counters.refused += 1
    return
  }
  if (line.copied !== undefined) shadow?.takeUser(line.copied, userEnd(line, line.copied))
  if (line.visit !== undefined) arms?.take(line.visit, line.end === 'complete' && line.status < 400)
  const place = line.by === 'preview' ? apart.preview : counters
  if (line.release === null) {
    if (line.end === 'client-abort') return
    if (line.status >= 500) place.unroutable += 1
    else place.refused += 1
    return
  }
  const releases = line.by === 'weight' ? counters : apart[line.by]
  const tally = new Tally(releases.release(line.release), line.route)
  for (let turn = 0; turn < line.retries; turn += 1) tally.add('retries')
  for (let turn = 0; turn < line.connectFailures; turn += 1) tally.add('connectFailures')
  tally.passedIn(line.bytesIn)
  tally.passedOut(line.bytesOut)
  countEnd(tally, line, () => {
    place.unroutable += 1
  })
}

/** What the user got, to be compared with the copy. Who was cut off or left by themselves got nothing to compare. */
function userEnd({ end, status }: LogLine, { ms }: CopiedLine): SideEnd | null {
  switch (end) {
    case 'complete':
      return { kind: 'answered', status, ms }
    case 'connect-failed':
      return { kind: 'failed', by: 'connectFailures' }
    case 'reset':
      return { kind: 'failed', by: 'resets' }
    case 'timeout':
      return { kind: 'failed', by: 'timeouts' }
    case 'client-abort':
    case 'cut':
      return null
  }
}

/** The same rules as those of the built-in proxy: what is counted must not depend on who counts. */
function countEnd(
  tally: Tally,
  { end, status, ms, isLong }: Pick<LogLine, 'end' | 'status' | 'ms' | 'isLong'>,
  unroutable: () => void,
): void {
  // What lives long was answered when it began; somebody leaves it in the end.
  if (isLong && (end === 'complete' || end === 'client-abort' || end === 'cut')) {
    tally.answered(status)
    if (end === 'cut') tally.add('cutOnDrain')
    return
  }
  switch (end) {
    case 'complete':
      tally.answered(status)
      tally.took(ms)
      return
    case 'client-abort':
      tally.add('requests')
      tally.add('clientAborts')
      return
    case 'cut':
      tally.add('requests')
      tally.add('cutOnDrain')
      return
    case 'connect-failed':
      unroutable()
      countBroken(tally, status, ms)
      return
    case 'reset':
      tally.add('resets')
      countBroken(tally, status, ms)
      return
    case 'timeout':
      tally.add('timeouts')
      countBroken(tally, status, ms)
  }
}

/** With an error that the router made itself the client has an answer; an answer that broke off is none, and an error. */
function countBroken(tally: Tally, status: number, ms: number): void {
  if (status >= 500) {
    tally.answered(status)
    tally.took(ms)
    return
  }
  tally.add('requests')
  tally.add('errors')
}

const incomplete = (router: string, service: string, { taken, missing }: Window): Problem =>
  problem('COUNTS_INCOMPLETE', {
    message: `${missing} of ${taken + missing} requests to ${service} are missing in the log lines of ${router}.`,
    cause: 'They could not be written, or come faster than they can be received.',
    remedy:
      'These requests are left out of the judgement, which waits. Give the controller more CPU. For nginx, make room on the disk of the state folder.',
    retryable: true,
  })
