import type { Event } from '../../core/rollout/event.ts'
import type { RolloutState, ServiceState } from '../../core/rollout/state.ts'
import type { Clock } from '../../ports/clock.ts'
import type { EngineObserver, Look, PerformedEffect } from '../../ports/engine-observer.ts'
import type { Log } from '../../ports/log.ts'
import type { MetricSource } from '../../ports/metric.ts'
import type { SettleMessage, Store } from '../../ports/store.ts'
import { type Exposition, expose } from '../../telemetry/exposition.ts'
import { processSamples } from '../../telemetry/process-samples.ts'
import { type Sample, sample } from '../../telemetry/sample.ts'
import { createTally, type Tally } from '../../telemetry/tally.ts'
import { logDecisions, logEffect } from './decision-log.ts'
import { countEvents } from './event-counts.ts'
import { observeStore, type StoreOperation } from './observed-store.ts'
import { outboxSamples } from './outbox-samples.ts'
import { createReadiness, NEEDED_PARTS, type Readiness } from './readiness.ts'
import { queueSamples, type Seen, serviceSamples } from './service-samples.ts'

type Decided = { state: ServiceState; revision: number; events: readonly Event[] }

/** Everything that the controller says about itself: numbers, readiness, and a log line for each decision. */
export interface Telemetry {
  readonly observer: EngineObserver
  readonly readiness: Readiness
  decided(stream: string, decided: Decided): void
  /** The same store, source: what they do is counted. */
  store(store: Store): Store
  source(source: MetricSource): MetricSource
  /** The answer to a scrape. */
  scrape(asked: Asked, accept: string): Promise<Exposition>
}

/** What is not known from the work that goes on, and looked up for each scrape. */
export type Asked = {
  store: Pick<Store, 'listMessages'>
  /** `null` when there is none, or when backups are not ours to make. */
  newestBackupAt(): number | null
}

export type TelemetryParts = { clock: Clock; log: Log; version: string }

/** `at` is monotonic: of the last look, whether it found something or not. */
type Held = { seen: Seen | null; at: number }

export function createTelemetry({ clock, log, version }: TelemetryParts): Telemetry {
  const tally = createTally('controller')
  const readiness = createReadiness(clock.monotonic)
  const held = new Map<string, Held>()
  const rollouts = new Map<string, RolloutState>()
  const started = { wall: clock.now(), monotonic: clock.monotonic() }

  const observer = observerOf({ tally, held, clock, log })

  function decided(stream: string, what: Decided): void {
    countEvents(tally, stream, { ...what, before: rollouts.get(stream) ?? null })
    if (what.state.rollout !== null) rollouts.set(stream, what.state.rollout)
    logDecisions(log, stream, what)
  }

  const gauges = (): Sample[] => {
    const [now, monotonic] = [clock.now(), clock.monotonic()]
    const seen = [...held.values()].flatMap((one) => (one.seen === null ? [] : [one.seen]))
    const states = readiness.read()
    return [
      ...seen.flatMap((one) => serviceSamples(one, now)),
      ...queueSamples(seen, now),
      ...[...held].map(([stream, { at }]) =>
        sample('sluice_tick_age_seconds', { stream }, (monotonic - at) / 1000),
      ),
      sample('sluice_leases_held', {}, held.size),
      ...NEEDED_PARTS.map((part) => sample('sluice_part_up', { part }, states[part] === null ? 1 : 0)),
      sample('sluice_clock_step_seconds', {}, (now - started.wall - (monotonic - started.monotonic)) / 1000),
    ]
  }

  return {
    observer,
    readiness,
    decided,
    store: (store) =>
      observeStore(store, clock.monotonic, (operation) => noteOperation({ tally, readiness }, operation)),
    source: (source) => observeSource(source, { tally, clock }),
    scrape: async ({ store, newestBackupAt }, accept) =>
      expose(
        'controller',
        [
          ...processSamples('controller', version),
          ...tally.samples(),
          ...gauges(),
          ...(await outboxSamples(store, clock.now())),
          ...backupSamples(newestBackupAt(), clock.now()),
        ],
        accept,
      ),
  }
}

const backupSamples = (newestAt: number | null, now: number): Sample[] =>
  newestAt === null ? [] : [sample('sluice_backup_age_seconds', {}, Math.max(0, now - newestAt) / 1000)]

type ObserverParts = { tally: Tally; held: Map<string, Held>; clock: Clock; log: Log }

function observerOf({ tally, held, clock, log }: ObserverParts): EngineObserver {
  return {
    leaseTaken: ({ stream, epoch }) => {
      held.set(stream, { seen: held.get(stream)?.seen ?? null, at: clock.monotonic() })
      tally.count('sluice_leases_taken_total', {})
      log.info('lease taken', { stream, epoch })
    },
    leaseLost: (stream) => {
      held.delete(stream)
      tally.count('sluice_leases_lost_total', {})
      log.warn('lease lost', { stream })
    },
    looked: ({ stream, lateMs, tookMs, seen }: Look) => {
      tally.observe('sluice_tick_lag_seconds', {}, lateMs / 1000)
      tally.observe('sluice_tick_duration_seconds', {}, tookMs / 1000)
      const known = held.get(stream)
      // The last look of a stream that is not ours any more says nothing.
      if (known !== undefined) held.set(stream, { seen: seen ?? known.seen, at: clock.monotonic() })
    },
    performed: (done: PerformedEffect) => {
      const effect = done.effect.kind
      tally.count('sluice_effects_total', { effect, result: done.problem === null ? 'ok' : 'failed' })
      tally.observe('sluice_effect_duration_seconds', { effect }, done.tookMs / 1000)
      if (done.attempt > 1) tally.count('sluice_effect_retries_total', { effect })
      logEffect(log, done)
    },
  }
}

function noteOperation(
  { tally, readiness }: { tally: Tally; readiness: Readiness },
  { name, tookMs, result, settled }: StoreOperation,
): void {
  tally.observe('sluice_store_operation_duration_seconds', { operation: name }, tookMs / 1000)
  const code = result.kind === 'ok' ? null : result.problem.code
  if (code !== null) tally.count('sluice_store_failures_total', { operation: name, code })
  // The loop over the leases asks twice a second, whether anything happens or not.
  if (name === 'claim') {
    readiness.note('store', code)
    readiness.note('leases', code)
  }
  if (settled !== null && code === null) countMessage(tally, settled)
}

const countMessage = (tally: Tally, { channel, kind }: SettleMessage): void =>
  tally.count('sluice_notifications_total', { channel, result: kind })

function observeSource(source: MetricSource, { tally, clock }: { tally: Tally; clock: Clock }): MetricSource {
  return {
    kind: source.kind,
    query: async (service) => {
      const begunAt = clock.monotonic()
      const answer = await source.query(service)
      const seconds = (clock.monotonic() - begunAt) / 1000
      tally.count('sluice_provider_queries_total', { source: source.kind, result: answer.kind })
      tally.observe('sluice_provider_query_duration_seconds', { source: source.kind }, seconds)
      return answer
    },
  }
}
