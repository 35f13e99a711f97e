import { EventEmitter } from 'node:events'
import { describe, expect, it } from 'vitest'
import { Admission } from './admission.ts'

function limited(limits: Parameters<Admission['take']>[0]) {
  const clock = { at: 0 }
  const admission = new Admission('shop', () => clock.at)
  admission.take(limits)
  const enter = (guest = new EventEmitter()) => admission.enter(guest)
  return { clock, admission, enter }
}
const rate = (perSecond: number, burst: number) => ({ rate: { perSecond, burst } })

describe('limits of a service', () => {
  it('ask nothing of anybody where there are none', () => {
    const { admission } = limited({ bodyBytes: 1 })
    expect(admission.isOpen).toBe(true)
  })

  it('let so many in at the same time, and the next one when one has left', () => {
    const { admission, enter } = limited({ requests: 2 })
    const guest = new EventEmitter()
    expect([enter(guest), enter()]).toEqual([null, null])
    expect(enter()).toMatchObject({ status: 503, problem: { code: 'SERVICE_BUSY' }, retryAfterS: 1 })
    guest.emit('close')
    expect(enter()).toBeNull()
    expect(admission.limited).toEqual({ requests: 1, rate: 0 })
  })

  it('let a burst in, then so many a second, and say when to come back', () => {
    const { clock, admission, enter } = limited(rate(2, 3))
    expect([enter(), enter(), enter()]).toEqual([null, null, null])
    expect(enter()).toMatchObject({
      status: 429,
      problem: { code: 'RATE_EXCEEDED', retryable: true, remedy: 'Come back in 1 second.' },
    })
    clock.at = 499
    expect(enter()?.status).toBe(429)
    clock.at = 500
    expect([enter(), enter()?.status]).toEqual([null, 429])
    clock.at = 3_600_000
    expect([enter(), enter(), enter(), enter()?.status]).toEqual([null, null, null, 429])
    expect(admission.limited).toEqual({ requests: 0, rate: 4 })
  })

  it('let exactly the rate in over a long time, however the requests come', () => {
    const { clock, enter } = limited(rate(0.5, 2))
    let taken = 0
    for (let at = 0; at < 200_000; at += 137) {
      clock.at = at
      if (enter() === null) taken += 1
    }
    // The burst of the beginning, and one each two seconds.
    expect(taken).toBe(101)
  })

  it('go on over changes, with their count', () => {
    const { admission, enter } = limited({ requests: 1, ...rate(1, 5) })
    expect(enter()).toBeNull()
    admission.take({ requests: 2, ...rate(1, 1) })
    expect(enter()).toBeNull()
    expect(enter()?.status).toBe(503)
    admission.take({})
    expect([admission.isOpen, admission.limited.requests]).toEqual([true, 1])
  })
})
