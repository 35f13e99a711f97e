import { beforeEach, describe, expect, it } from 'vitest'
import { Baseline } from '../core/analysis/baseline.ts'
import { newServiceState, type ServiceState } from '../core/rollout/state.ts'
import { LATENCY_BUCKETS } from '../core/shared/histogram.ts'
import type { Observation } from '../core/shared/observation.ts'
import { problem } from '../core/shared/problem.ts'
import { failed, ok, type Result } from '../core/shared/result.ts'
import type { ServiceCounts } from '../core/shared/traffic-counts.ts'
import type { MetricAnswer } from '../ports/metric.ts'
import type { Store } from '../ports/store.ts'
import { FakeRouter } from '../testkit/fakes/router.ts'
import { createStoreFake } from '../testkit/fakes/store.ts'
import { simulatedSettings } from '../testkit/simulator/settings.ts'
import { trafficOf } from '../testkit/traffic.ts'
import { baselineFacts, createBaselineRecorder, readBaseline } from './baselines.ts'

const STREAM = 'shop.local'
const MINUTE_MS = 60_000
const stable = { release: 'r1', version: '1.0.0', since: 0 }
const idle: ServiceState = { ...newServiceState(STREAM), stable }

let now = 0
let requests = 0
let asked = 0
let answer: () => MetricAnswer
let seen: () => Result<Observation>
let store: Store

const counts = (): ServiceCounts => ({
  service: STREAM,
  boot: 'proxy-1',
  releases: [
    {
      release: 'r1',
      total: trafficOf({
        requests,
        latencyBuckets: new Array<number>(LATENCY_BUCKETS).fill(0).with(3, requests),
      }),
      routes: {},
    },
  ],
  unroutable: 0,
  refused: 0,
})

function recorder() {
  const clock = { now: () => now, monotonic: () => now, sleep: async () => undefined }
  const counts = {
    kind: 'fake',
    query: async () => {
      asked += 1
      return answer()
    },
  }
  return createBaselineRecorder({
    store,
    routerOf: () => ({ router: new FakeRouter(), counts }),
    target: { observe: async () => seen() },
    clock,
  })
}

async function watch(minutes: number, { follow } = recorder()): Promise<void> {
  for (let index = 0; index < minutes * 4; index += 1) {
    await follow(idle)
    now += MINUTE_MS / 4
    requests += 150
  }
  await follow(idle)
}

beforeEach(async () => {
  now = 1_700_000_000_000
  requests = 0
  asked = 0
  answer = () => ({ kind: 'samples', at: now, counts: counts() })
  seen = () => ok({ at: now, boot: 'agent-1', highestToken: null, instances: [] })
  store = createStoreFake().open()
  await store.join({ name: 'one', pid: 1, host: 'here', startedAt: 0 })
})

const recorded = async () => {
  const read = await readBaseline(store, STREAM, 'r1')
  return read.kind === 'ok' ? read.value : null
}

describe('the baseline of a service', () => {
  it('grows by what stable does in each minute in which nothing is released', async () => {
    await watch(5)
    expect(asked).toBe(6)
    expect(await recorded()).toMatchObject({
      version: '1.0.0',
      watchedMs: 5 * MINUTE_MS,
      counts: { requests: 3000 },
    })
    expect(await baselineFacts(store, idle)).toMatchObject({ requestsPerSecond: 10, requests: 3000 })
  })

  it('goes on after a restart, without the time in which nobody looked', async () => {
    await watch(2)
    requests += 100_000
    now += 3_600_000
    await watch(2)
    expect(await recorded()).toMatchObject({ watchedMs: 4 * MINUTE_MS, counts: { requests: 2400 } })
  })

  it('learns nothing from a source or a store that fails, and goes on with the next minute', async () => {
    const { follow } = recorder()
    await watch(1, { follow })
    answer = () => ({ kind: 'no-data', at: now })
    await watch(3, { follow })
    const full = problem('STORE_FULL', { message: 'Full.', remedy: 'Make space.', retryable: true })
    const { putDocument } = store
    answer = () => ({ kind: 'samples', at: now, counts: counts() })
    store.putDocument = async () => failed(full)
    await watch(2, { follow })
    store.putDocument = putDocument
    await watch(1, { follow })
    expect((await recorded())?.counts.requests).toBe(1200)
  })

  it('knows what stable uses where the target can tell, and nothing of it where it cannot', async () => {
    await watch(2)
    expect(await baselineFacts(store, idle)).toMatchObject({ use: null, diskBusyPercent: null })
    const settings = simulatedSettings()
    let cpuMs = 0
    seen = () => {
      cpuMs += 15_000
      const releases = [
        {
          ...{ release: 'r1', instances: 2, cpuMs, memoryBytes: 400, largestMemoryBytes: 300 },
          ...{ diskReadBytes: 0, diskWrittenBytes: cpuMs },
        },
      ]
      const host = { cpus: 2, memoryBytes: 1000, diskBusyMs: null }
      const use = { measuredAt: now, host, releases }
      return ok({ at: now, boot: 'agent-1', highestToken: null, instances: [], use })
    }
    const { follow } = recorder()
    for (let minute = 0; minute <= 3; minute += 1) {
      await follow({ ...idle, settings })
      now += MINUTE_MS
      requests += 600
    }
    expect(await baselineFacts(store, idle)).toMatchObject({
      use: { cpus: 0.25, cpuPercent: 12.5, memoryPercent: 40, diskWrittenBytesPerSecond: 250 },
      diskBusyPercent: null,
      bytesOutPerSecond: 0,
    })
  })

  it('reads a record of before it knew what is used', async () => {
    await watch(2)
    const id = `${STREAM}/r1`
    const document = await store.getDocument('baseline', id)
    if (document.kind !== 'ok' || document.value === null) throw new Error('nothing was recorded')
    const { use: _use, host: _host, ...older } = Baseline.parse(document.value.body)
    await store.putDocument({ ...document.value, body: older })
    expect(await recorded()).toMatchObject({ watchedMs: 2 * MINUTE_MS, use: { ms: 0 } })
  })

  it('is another one for another release, and there is none without a stable release', async () => {
    await watch(2)
    expect(await baselineFacts(store, { ...idle, stable: { ...stable, release: 'r2' } })).toBeNull()
    expect(await baselineFacts(store, newServiceState(STREAM))).toBeNull()
  })
})
