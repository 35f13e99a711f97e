import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { MetricSource } from '../../ports/metric.ts'

/** What a metric source must have around it to be tried. */
export type MetricSetup = {
  metrics: MetricSource
  /** A service that the source knows. */
  service: string
  /** Sends this many good requests and this many failing ones to the service's only release. */
  serve(requests: { good: number; failing: number }): Promise<void>
  /** From now on the source cannot be asked. */
  cutOff(): Promise<void>
  cleanup(): Promise<void>
}

/** The behaviour every metric source shares: no data, zero and failure are three different answers. */
export function metricConformance(name: string, makeSetup: () => Promise<MetricSetup>): void {
  describe(`${name} as a metric source`, () => {
    let setup: MetricSetup
    beforeEach(async () => {
      setup = await makeSetup()
    })
    afterEach(() => setup.cleanup())

    /** A request may be counted a moment after its answer arrived. */
    const countsAfter = async (requests: number) => {
      const sum = (counts: Awaited<ReturnType<typeof countsOf>>) =>
        counts.releases.reduce((total, release) => total + release.total.requests, 0)
      await expect.poll(async () => sum(await countsOf(setup.service))).toBe(requests)
      return countsOf(setup.service)
    }
    const countsOf = async (service: string) => {
      const answer = await setup.metrics.query(service)
      if (answer.kind !== 'samples') throw new Error(`expected samples, got ${answer.kind}`)
      return answer.counts
    }

    it('answers with no data for a service it does not know, never with zero', async () => {
      expect((await setup.metrics.query('nobody.local')).kind).toBe('no-data')
    })

    it('counts every request once and tells errors from successes', async () => {
      await setup.serve({ good: 7, failing: 3 })
      const { releases, unroutable } = await countsAfter(10)
      const total = releases.reduce((sum, release) => sum + release.total.requests, 0)
      const errors = releases.reduce((sum, release) => sum + release.total.errors, 0)
      expect({ total, errors, unroutable }).toEqual({ total: 10, errors: 3, unroutable: 0 })
    })

    it('gives counters that only grow while its boot stays the same', async () => {
      await setup.serve({ good: 2, failing: 0 })
      const before = await countsAfter(2)
      await setup.serve({ good: 3, failing: 0 })
      const after = await countsAfter(5)
      expect(after.boot).toBe(before.boot)
      expect((after.releases[0]?.total.requests ?? 0) - (before.releases[0]?.total.requests ?? 0)).toBe(3)
    })

    it('puts each request into exactly one latency bucket', async () => {
      await setup.serve({ good: 5, failing: 0 })
      const { releases } = await countsAfter(5)
      expect(releases[0]?.total.latencyBuckets.reduce((sum, count) => sum + count, 0)).toBe(5)
    })

    it('says that it could not be asked, and that it is worth a retry', async () => {
      await setup.cutOff()
      const answer = await setup.metrics.query(setup.service)
      expect(answer.kind === 'failure' && answer.problem.retryable).toBe(true)
    })
  })
}
