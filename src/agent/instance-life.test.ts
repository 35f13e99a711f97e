import { describe, expect, it } from 'vitest'
import { exitStatus, unknownExit } from './exit-cause.ts'
import { evolve, isProbed, type LifeEvent } from './instance-life.ts'
import { adoptedInstance, type InstanceRecord, newInstance } from './instance-record.ts'

const LIMITS = { successes: 2, failures: 3, deadlineMs: 1000 }
const PROCESS = { pid: 100, startTime: '5@boot' }
const fresh = newInstance({ id: 'shop-1', service: 'shop', release: 'shop@1', at: 0 })
const lifeAfter = (events: LifeEvent[], from: InstanceRecord = fresh): InstanceRecord =>
  events.reduce((record, event) => evolve(record, event, LIMITS), from)

const spawned: LifeEvent[] = [
  { kind: 'spawning', at: 1, port: 4001 },
  { kind: 'spawned', at: 2, process: PROCESS },
]
const passed = (at: number): LifeEvent => ({ kind: 'probe-passed', at })
const failure = (at: number): LifeEvent => ({
  kind: 'probe-failed',
  at,
  failure: { kind: 'status', message: 'answered 503', at },
})
const exit = (at: number, addressInUse = false): LifeEvent => ({
  kind: 'exited',
  at,
  addressInUse,
  exit: exitStatus({ code: 1, signal: null, at, endedByUs: null, oomCounted: false }),
})
const ready = lifeAfter([...spawned, passed(3), passed(4)])

describe('the life of an instance', () => {
  it('is ready after enough successes in a row; a failure between starts the count again', () => {
    expect(lifeAfter([...spawned, passed(3)]).state).toBe('starting')
    expect(lifeAfter([...spawned, passed(3), failure(4), passed(5)]).state).toBe('starting')
    expect(ready).toMatchObject({ state: 'ready', readyAt: 4, everReady: true, port: 4001, process: PROCESS })
  })

  it('is unready after enough failures in a row and ready again after successes', () => {
    expect(lifeAfter([failure(5), failure(6)], ready)).toMatchObject({
      state: 'ready',
      consecutiveProbeFailures: 2,
    })
    const unready = lifeAfter([failure(5), failure(6), failure(7)], ready)
    expect(unready).toMatchObject({ state: 'unready', readyAt: null })
    expect(lifeAfter([passed(8), passed(9)], unready)).toMatchObject({
      state: 'ready',
      lastProbeFailure: null,
    })
  })

  it('keeps its id and port over a crash, counts it, and waits twice as long each time', () => {
    const once = lifeAfter([exit(1000)], ready)
    expect(once).toMatchObject({
      id: 'shop-1',
      state: 'crashed',
      process: null,
      port: 4001,
      crashes: 1,
      restartAt: 1500,
    })
    const twice = lifeAfter([...spawned, exit(5000)], once)
    expect(twice).toMatchObject({ crashes: 2, restartAt: 6000 })
    expect(lifeAfter([{ kind: 'steady', at: 9 }, exit(10_000)], twice)).toMatchObject({
      crashes: 3,
      restartAt: 10_500,
    })
  })

  it('gives its port up when the program says that it is in use', () => {
    expect(lifeAfter([...spawned, exit(5, true)]).port).toBe(0)
  })

  it('fails for good when it misses its first deadline, and stays failed when its process ends or answers', () => {
    const failed = lifeAfter([
      ...spawned,
      failure(3),
      { kind: 'deadline-passed', at: 1000, deadlineMs: 1000 },
    ])
    expect(failed).toMatchObject({
      state: 'failed',
      process: PROCESS,
      lastProbeFailure: { message: 'answered 503' },
    })
    expect(lifeAfter([passed(1001), passed(1002)], failed).state).toBe('failed')
    expect(lifeAfter([exit(1003)], failed)).toMatchObject({ state: 'failed', process: null, restartAt: null })
  })

  it('always gives a failed instance a reason', () => {
    const failed = lifeAfter([...spawned, { kind: 'deadline-passed', at: 1000, deadlineMs: 1000 }])
    expect(failed.lastProbeFailure).toMatchObject({ kind: 'slow' })
  })

  it('that was ready once and hangs after a restart counts as unready, not as failed', () => {
    const restarted = lifeAfter(
      [exit(10), { kind: 'spawning', at: 600, port: 4001 }, { kind: 'spawned', at: 600, process: PROCESS }],
      ready,
    )
    expect(lifeAfter([failure(700), failure(800), failure(900)], restarted).state).toBe('starting')
    expect(lifeAfter([failure(700), failure(800), failure(1601)], restarted).state).toBe('unready')
  })

  it('without its secret fails at once the first time, and tries again when it was ready before', () => {
    const missing: LifeEvent = { kind: 'spawn-failed', at: 5, message: 'SECRET_MISSING: ...', final: true }
    expect(lifeAfter([missing])).toMatchObject({
      state: 'failed',
      lastProbeFailure: { message: 'SECRET_MISSING: ...' },
    })
    expect(lifeAfter([exit(4), missing], ready)).toMatchObject({ state: 'crashed' })
  })

  it('once asked to stop is not brought back by anything that still arrives', () => {
    const stopping = lifeAfter([{ kind: 'stop-asked', at: 5 }], ready)
    const late = lifeAfter(
      [{ kind: 'spawning', at: 6, port: 1 }, ...spawned, passed(7), passed(8), exit(9)],
      stopping,
    )
    expect(late.state).toBe('stopping')
    expect(isProbed(stopping)).toBe(false)
    const gone = lifeAfter([{ kind: 'group-empty', at: 10 }], late)
    expect(gone).toMatchObject({ state: 'gone', goneAt: 10, process: null, lastExit: { code: 1 } })
    expect(lifeAfter([{ kind: 'stop-asked', at: 11 }, exit(12)], gone)).toEqual(gone)
  })

  it('does not count the end of the host as a crash, and gives even a failed instance a new chance', () => {
    const lost: LifeEvent = { kind: 'lost-by-reboot', at: 50, exit: unknownExit(50) }
    expect(lifeAfter([lost], ready)).toMatchObject({ state: 'crashed', crashes: 0, restartAt: 50 })
    expect(lifeAfter([{ ...lost, why: 'ended with its engine' }], ready)).toMatchObject({
      crashes: 0,
      lastProbeFailure: { kind: 'exited', message: 'ended with its engine', at: 50 },
    })
    const failed = lifeAfter([...spawned, { kind: 'deadline-passed', at: 1000, deadlineMs: 1000 }])
    expect(lifeAfter([lost], failed)).toMatchObject({ state: 'crashed', createdAt: 50 })
  })

  it('of an adopted process ends with the process: nobody knows how to start it', () => {
    const adopted = adoptedInstance({
      id: 'a',
      service: 'shop',
      release: 'shop@0',
      serving: { host: '127.0.0.1', port: 80, process: PROCESS, container: null },
      at: 1,
    })
    expect(lifeAfter([exit(5)], adopted)).toMatchObject({ state: 'gone', goneAt: 5, crashes: 1 })
  })
})
