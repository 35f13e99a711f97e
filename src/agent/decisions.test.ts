import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { backOffMs } from './back-off.ts'
import { exitStatus, saysAddressInUse } from './exit-cause.ts'
import { evolve } from './instance-life.ts'
import { type InstanceRecord, newInstance } from './instance-record.ts'
import { KEEP_GONE_MS, nextStep } from './next-step.ts'
import { planSet } from './plan-set.ts'
import { describeListeners } from './processes/wrong-port.ts'

const made = (more: Partial<InstanceRecord>): InstanceRecord => ({
  ...newInstance({ id: 'shop-1', service: 'shop', release: 'shop@1', at: 0 }),
  ...more,
})
const PROCESS = { pid: 100, startTime: '5@boot' }

describe('the wait before a restart', () => {
  it('doubles from half a second to half a minute', () => {
    expect([1, 2, 3, 4, 6, 7, 8, 100].map(backOffMs)).toEqual([
      500, 1000, 2000, 4000, 16_000, 30_000, 30_000, 30_000,
    ])
  })
})

describe('the next step for an instance', () => {
  const step = (more: Partial<InstanceRecord>, now: number) =>
    nextStep(made(more), { now, deadlineMs: 1000, stopGraceMs: 500, mayRestart: true })

  it('starts what waits to be started, and again when the wait is over', () => {
    expect(step({}, 0)).toBe('spawn')
    expect(step({ process: PROCESS }, 10)).toBe('none')
    expect(step({ state: 'crashed', restartAt: 500 }, 499)).toBe('none')
    expect(step({ state: 'crashed', restartAt: 500 }, 500)).toBe('spawn')
  })

  it('fails what missed its first deadline, never what was ready before', () => {
    expect(step({ process: PROCESS }, 1000)).toBe('fail')
    expect(step({ state: 'crashed', restartAt: 900 }, 1000)).toBe('fail')
    expect(step({ state: 'crashed', restartAt: 900, everReady: true }, 1000)).toBe('spawn')
  })

  it('forgets the crashes of an instance that has been ready for a minute', () => {
    expect(step({ state: 'ready', readyAt: 0, crashesInARow: 2 }, 59_999)).toBe('none')
    expect(step({ state: 'ready', readyAt: 0, crashesInARow: 2 }, 60_000)).toBe('reset-back-off')
    expect(step({ state: 'ready', readyAt: 0 }, 60_000)).toBe('none')
  })

  it('asks, waits for the grace, kills, and kills again until nobody is left', () => {
    const stopping = { state: 'stopping', process: PROCESS } as const
    expect(step(stopping, 0)).toBe('send-term')
    expect(step({ ...stopping, termSentAt: 0 }, 499)).toBe('check-gone')
    expect(step({ ...stopping, termSentAt: 0 }, 500)).toBe('send-kill')
    expect(step({ ...stopping, termSentAt: 0, killSentAt: 500 }, 600)).toBe('check-gone')
    expect(step({ ...stopping, termSentAt: 0, killSentAt: 500 }, 1500)).toBe('send-kill')
    expect(step({ state: 'stopping' }, 0)).toBe('check-gone')
  })

  it('keeps what is gone for ten minutes', () => {
    expect(step({ state: 'gone', goneAt: 0 }, KEEP_GONE_MS - 1)).toBe('none')
    expect(step({ state: 'gone', goneAt: 0 }, KEEP_GONE_MS)).toBe('forget')
  })
})

describe('the plan for a set', () => {
  it('stops the surplus: those not ready first, then the newest', () => {
    const instances = [
      made({ id: 'old', state: 'ready', createdAt: 1 }),
      made({ id: 'new', state: 'ready', createdAt: 3 }),
      made({ id: 'sick', state: 'unready', createdAt: 2 }),
      made({ id: 'leaving', state: 'stopping' }),
    ]
    expect(planSet(instances, 3)).toEqual({ start: 0, stop: [] })
    expect(planSet(instances, 2)).toEqual({ start: 0, stop: ['sick'] })
    expect(planSet(instances, 1)).toEqual({ start: 0, stop: ['sick', 'new'] })
    expect(planSet(instances, 5)).toEqual({ start: 2, stop: [] })
  })

  it('does not replace failed instances on its own', () => {
    expect(planSet([made({ state: 'failed' })], 1)).toEqual({ start: 0, stop: [] })
  })

  it('carried out once, plans nothing more', () => {
    const states = fc.constantFrom('starting', 'ready', 'unready', 'crashed', 'failed', 'stopping', 'gone')
    fc.assert(
      fc.property(fc.array(states, { maxLength: 12 }), fc.nat(12), (all, replicas) => {
        const before = all.map((state, index) => made({ id: `i${index}`, state, createdAt: index }))
        const plan = planSet(before, replicas)
        const limits = { successes: 1, failures: 1, deadlineMs: 1 }
        const stopped = before.map((one) =>
          plan.stop.includes(one.id) ? evolve(one, { kind: 'stop-asked', at: 9 }, limits) : one,
        )
        const started = Array.from({ length: plan.start }, (_, index) => made({ id: `n${index}` }))
        expect(planSet([...stopped, ...started], replicas)).toEqual({ start: 0, stop: [] })
      }),
    )
  })
})

describe('the cause of an exit', () => {
  const cause = (code: number | null, signal: string | null, more = {}) =>
    exitStatus({ code, signal, at: 0, endedByUs: null, oomCounted: false, ...more }).cause

  it('is named only as far as it is known', () => {
    expect(cause(1, null)).toBe('exited')
    expect(cause(null, 'SIGSEGV')).toBe('exited')
    expect(cause(null, 'SIGKILL')).toBe('killed-unknown')
    expect(cause(null, 'SIGKILL', { oomCounted: true })).toBe('oom')
    expect(cause(1, null, { oomCounted: true })).toBe('exited')
    expect(cause(null, 'SIGTERM', { endedByUs: 'stopped-by-us' })).toBe('stopped-by-us')
  })

  it('recognises a port in use in the words of several languages', () => {
    expect(saysAddressInUse('Error: listen EADDRINUSE: 127.0.0.1:1')).toBe(true)
    expect(saysAddressInUse('OSError: [Errno 98] Address already in use')).toBe(true)
    expect(saysAddressInUse('all fine')).toBe(false)
  })
})

describe('a refused health check', () => {
  it('is explained by where the instance listens instead', () => {
    expect(describeListeners([], 41234)).toBeNull()
    expect(describeListeners([{ address: '0.0.0.0', port: 3000 }], 41234)).toBe(
      'listens on 3000, expected 41234: does the command use {{port}} or PORT?',
    )
    expect(describeListeners([{ address: '[::1]', port: 41234 }], 41234)).toMatch(
      /\[::1\]:41234 but not on 127\.0\.0\.1/,
    )
  })
})
