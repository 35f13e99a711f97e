import { describe, expect, it } from 'vitest'
import { ReleaseCounters } from '../core/shared/counters.ts'
import { LiveInstance } from './instance.ts'
import { Limits } from './limits.ts'
import { LiveSet } from './live-set.ts'
import type { Work } from './work.ts'

const work = (): Work => ({
  kind: 'request',
  route: 'GET /',
  startedAt: 0,
  closeGracefully: () => undefined,
  cut: () => undefined,
  sweep: () => undefined,
})

function setOf(count: number): { set: LiveSet; instances: LiveInstance[] } {
  const instances = Array.from(
    { length: count },
    (_, at) =>
      new LiveInstance(
        'v1',
        { id: `${at}`, host: '127.0.0.1', port: at + 1, state: 'active' },
        Limits.parse({}),
      ),
  )
  return { set: new LiveSet('v1', instances, new ReleaseCounters('v1')), instances }
}

describe('live set', () => {
  it('goes round among instances that are equally busy', () => {
    const { set } = setOf(3)
    const ids = Array.from({ length: 6 }, () => set.leastBusy(null)?.id)
    expect(ids).toEqual(['0', '1', '2', '0', '1', '2'])
  })

  it('prefers the instance with least in flight', () => {
    const { set, instances } = setOf(3)
    for (const at of [0, 1]) instances[at]?.enter(work())
    expect([set.leastBusy(null)?.id, set.leastBusy(null)?.id]).toEqual(['2', '2'])
  })

  it('passes over what was tried, and ends', () => {
    const { set, instances } = setOf(2)
    expect(set.leastBusy(instances.slice(0, 1))?.id).toBe('1')
    expect(set.leastBusy(instances)).toBeNull()
  })
})
