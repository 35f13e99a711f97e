import { describe, expect, it } from 'vitest'
import { exitStatus } from '../exit-cause.ts'
import { evolve, isProbed, type LifeEvent } from '../instance-life.ts'
import { type InstanceRecord, newInstance } from '../instance-record.ts'
import { nextStep } from '../next-step.ts'
import { mayRestartNow } from './restart-turn.ts'

const LIVE = { check: { kind: 'tcp' as const }, intervalMs: 1000, timeoutMs: 1000, failures: 2 }
const LIMITS = { successes: 1, failures: 2, deadlineMs: 10_000, live: LIVE }
const lifeAfter = (events: LifeEvent[], from: InstanceRecord): InstanceRecord =>
  events.reduce((record, event) => evolve(record, event, LIMITS), from)
const started = (id = 'shop-1') =>
  lifeAfter(
    [
      { kind: 'spawning', at: 0, port: 4001 },
      { kind: 'spawned', at: 0, process: { pid: 100, startTime: '5@boot' } },
    ],
    newInstance({ id, service: 'shop', release: 'shop@1', at: 0 }),
  )
const ready = (id?: string) => lifeAfter([{ kind: 'probe-passed', at: 1 }], started(id))
const dead = (at: number): LifeEvent => ({
  kind: 'live-failed',
  at,
  failure: { kind: 'refused', message: 'GET /livez was refused', at },
})
const step = (record: InstanceRecord, now: number, mayRestart = true) =>
  nextStep(record, { now, deadlineMs: 10_000, stopGraceMs: 500, mayRestart })

describe('an instance that is not live', () => {
  const doomed = lifeAfter([dead(2), dead(3)], ready())

  it('waits for its turn and keeps its traffic until then: readiness decides about that', () => {
    expect(lifeAfter([dead(2)], ready()).notLive).toBeNull()
    expect(doomed).toMatchObject({ state: 'ready', notLive: { leftAt: null } })
    expect(step(doomed, 4, false)).toBe('none')
    expect(step(doomed, 4)).toBe('leave')
  })

  it('is let alone when it comes back before its turn', () => {
    const back = lifeAfter([{ kind: 'live-passed', at: 4 }], doomed)
    expect(back).toMatchObject({ notLive: null, consecutiveLiveFailures: 0 })
    expect(step(back, 5)).toBe('none')
  })

  it('leaves the routes first, then gets the signal, and is killed after its grace', () => {
    const leaving = lifeAfter([{ kind: 'live-given-up', at: 100 }], doomed)
    expect(leaving).toMatchObject({
      state: 'unready',
      readyAt: null,
      lastProbeFailure: { kind: 'not-live', message: 'not live (2 times in a row): GET /livez was refused' },
    })
    expect(isProbed(leaving)).toBe(false)
    expect(step(leaving, 2099)).toBe('none')
    expect(step(leaving, 2100)).toBe('send-term')
    const asked = lifeAfter([{ kind: 'term-sent', at: 2100 }], leaving)
    expect(step(asked, 2599)).toBe('none')
    expect(step(asked, 2600)).toBe('send-kill')
  })

  it('is restarted with the cause, and its new process is told of no old signal', () => {
    const exit = exitStatus({
      code: null,
      signal: 'SIGTERM',
      at: 2200,
      endedByUs: 'not-live',
      oomCounted: false,
    })
    const crashed = lifeAfter(
      [
        { kind: 'live-given-up', at: 100 },
        { kind: 'term-sent', at: 2100 },
        { kind: 'exited', at: 2200, exit, addressInUse: false },
      ],
      doomed,
    )
    expect(crashed).toMatchObject({
      state: 'crashed',
      crashes: 1,
      lastExit: { cause: 'not-live' },
      lastProbeFailure: {
        kind: 'not-live',
        message: 'restarted, since it was not live (2 times in a row): GET /livez was refused',
      },
    })
    const again = lifeAfter([{ kind: 'spawning', at: 3000, port: 4001 }], crashed)
    expect(again).toMatchObject({
      state: 'starting',
      termSentAt: null,
      notLive: null,
      consecutiveLiveFailures: 0,
    })
  })

  it('is never one that still starts, nor one that somebody else started', () => {
    expect(lifeAfter([dead(1), dead(2), dead(3)], started()).notLive).toBeNull()
    expect(lifeAfter([dead(1), dead(2), dead(3)], { ...ready(), adopted: true }).notLive).toBeNull()
  })

  it('is stopped as usual when its set is stopped meanwhile', () => {
    const stopped = lifeAfter(
      [
        { kind: 'live-given-up', at: 100 },
        { kind: 'stop-asked', at: 200 },
      ],
      doomed,
    )
    expect(stopped.state).toBe('stopping')
    expect(step(stopped, 200)).toBe('send-term')
  })
})

describe('the turn of an instance that is not live', () => {
  const at = { now: 5000, deadlineMs: 10_000 }
  const leaving = lifeAfter([dead(2), dead(3), { kind: 'live-given-up', at: 100 }], ready('shop-2'))
  const backSince = (since: number): InstanceRecord => ({
    ...started('shop-2'),
    lastExit: { code: null, signal: 'SIGTERM', cause: 'not-live', at: since },
  })

  it('comes when no other instance of the release is on its way out or back', () => {
    const one = ready('shop-1')
    expect(mayRestartNow(one, [one, ready('shop-2')], at)).toBe(true)
    expect(mayRestartNow(one, [one, leaving], at)).toBe(false)
    expect(mayRestartNow(one, [one, backSince(4000)], at)).toBe(false)
  })

  it('comes also when another one does not come back within its deadline', () => {
    const one = ready('shop-1')
    expect(mayRestartNow(one, [one, backSince(4000)], { now: 14_000, deadlineMs: 10_000 })).toBe(true)
  })
})
