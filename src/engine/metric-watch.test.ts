import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Command } from '../core/rollout/command.ts'
import type { MetricDefinition } from '../core/shared/metric-definition.ts'
import { ok } from '../core/shared/result.ts'
import type { Clock } from '../ports/clock.ts'
import type { MetricProvider } from '../ports/metric.ts'
import { createMetricProviderFake } from '../testkit/fakes/metric-provider.ts'
import { metricOf } from '../testkit/metric-definition.test.kit.ts'
import { NEW } from '../testkit/simulator/scene.ts'
import { simulatedSettings } from '../testkit/simulator/settings.ts'
import { createWorld, stepKind, type World } from '../testkit/simulator/world.ts'
import { watchMetrics } from './metric-watch.ts'

const metric: MetricDefinition = {
  ...metricOf('ratio', { provider: 'command', command: ['count'], secrets: [] }),
  name: 'payments',
  everyMs: 2000,
  timeoutMs: 3000,
}

/** A rollout in its first stage, two seconds after the warm-up; the watch asks a fake. */
function watched(change: Partial<MetricProvider> = {}) {
  const world = createWorld({ settings: simulatedSettings({ analysis: { metrics: [metric] } }) })
  world.withStable()
  world.deploy(NEW)
  world.passUntil((state) => stepKind(state) === 'observe')
  const fake = createMetricProviderFake()
  const told: Command[] = []
  const logged: string[] = []
  const clock: Clock = {
    now: world.now,
    monotonic: world.now,
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        const timer = setTimeout(resolve, ms)
        signal?.addEventListener('abort', () => {
          clearTimeout(timer)
          resolve()
        })
      }),
  }
  const log = {
    debug: () => undefined,
    info: () => undefined,
    warn: () => undefined,
    error: (text: string) => void logged.push(text),
  }
  const provider = { ...fake.provider, ...change }
  const ended = new AbortController()
  const watch = watchMetrics(
    {
      providerOf: () => provider,
      engine: {
        handle: async (_stream, command) => {
          told.push(command)
          return ok({ state: world.state(), revision: 1, events: [] })
        },
      },
      clock,
      log,
      epoch: world.state().epoch,
    },
    'shop.local',
    ended.signal,
  )
  return { ended, world, fake, told, logged, watch }
}
const settle = () => vi.advanceTimersByTimeAsync(0)
const later = (world: World): void => world.pass(5000)

describe('the watch of declared metrics', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  it('asks for both versions over one window once that is over, and tells what was answered', async () => {
    const { world, fake, told, watch } = watched()
    watch.follow(world.state())
    expect(fake.asked).toEqual([])
    later(world)
    fake.put(NEW, world.now() - 500, { kind: 'ratio', bad: 5, total: 100 })
    watch.follow(world.state())
    await settle()
    expect(fake.asked.map(({ subject }) => subject)).toEqual([
      { service: 'shop', environment: 'local', version: NEW, release: `${NEW}-r` },
      { service: 'shop', environment: 'local', version: '1.0.0', release: '1.0.0-r' },
    ])
    expect(told).toEqual([
      expect.objectContaining({
        kind: 'metric-sampled',
        underEpoch: world.state().epoch,
        rollout: world.state().rollout?.id,
        metric: 'payments',
        sample: expect.objectContaining({
          candidate: expect.objectContaining({ kind: 'counts', side: { bad: 5, total: 100 } }),
          stable: expect.objectContaining({ kind: 'no-data' }),
        }),
      }),
    ])
  })

  it('has one question at most under way, waits for none, and takes silence for a failure in the end', async () => {
    const { world, fake, told, watch } = watched({ sample: () => new Promise(() => undefined) })
    later(world)
    for (const _look of [1, 2, 3]) watch.follow(world.state())
    await vi.advanceTimersByTimeAsync(3999)
    expect(told).toEqual([])
    expect(fake.asked).toEqual([])
    await vi.advanceTimersByTimeAsync(2)
    expect(told).toHaveLength(1)
    expect(told[0]).toMatchObject({
      sample: { candidate: { kind: 'failure', problem: { code: 'METRIC_TIMEOUT' } } },
    })
  })

  it('takes a provider that throws for one in trouble, and says so in the log', async () => {
    const { world, told, logged, watch } = watched({ sample: () => Promise.reject(new Error('a bug')) })
    later(world)
    watch.follow(world.state())
    await settle()
    expect(told[0]).toMatchObject({
      sample: { stable: { kind: 'failure', problem: { code: 'METRIC_PROVIDER_UNWELL' } } },
    })
    expect(logged).toContain('a metric provider broke')
  })

  it('gives up its questions with the rollout, and wants no answer any more', async () => {
    const { world, fake, told, watch } = watched()
    fake.breakMetric('payments', { silence: true })
    later(world)
    watch.follow(world.state())
    await settle()
    expect(fake.asked).toHaveLength(2)
    world.byHand('abort')
    watch.follow(world.state())
    await vi.advanceTimersByTimeAsync(10_000)
    expect(told).toEqual([])
  })

  it('gives them up with the lease, and asks nothing more', async () => {
    const { world, fake, told, ended, watch } = watched()
    fake.breakMetric('payments', { silence: true })
    later(world)
    watch.follow(world.state())
    await settle()
    ended.abort()
    watch.follow(world.state())
    await vi.advanceTimersByTimeAsync(10_000)
    expect(told).toEqual([])
    expect(fake.asked).toHaveLength(2)
  })

  it('asks a provider without history at the beginning of a window, too, and once', async () => {
    const { world, fake, told, watch } = watched({ history: 'from-now-on' })
    world.pass(2000)
    watch.follow(world.state())
    await settle()
    watch.follow(world.state())
    await settle()
    expect(fake.asked).toHaveLength(2)
    expect(fake.asked[0]?.window.fromMs).toBe(fake.asked[0]?.window.toMs)
    expect(told).toEqual([])
    later(world)
    watch.follow(world.state())
    await settle()
    expect(told).toHaveLength(1)
    expect(fake.asked[2]?.window.fromMs).toBe(fake.asked[0]?.window.fromMs)
  })
})
