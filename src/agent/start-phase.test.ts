import { describe, expect, it } from 'vitest'
import { evolve, isAskedWhetherLive, isBooting, type LifeEvent } from './instance-life.ts'
import { type InstanceRecord, newInstance } from './instance-record.ts'
import { nextStep } from './next-step.ts'

const check = { kind: 'tcp' } as const
const start = { check, intervalMs: 100, timeoutMs: 100, deadlineMs: 5000 }
const live = { check, intervalMs: 100, timeoutMs: 100, failures: 2 }
const LIMITS = { successes: 1, failures: 2, deadlineMs: 1000, start, live }
const process = { pid: 7, startTime: '1' }
const failure = { kind: 'refused' as const, message: 'it boots', at: 0 }

const lived = (events: readonly LifeEvent[], from = booting()): InstanceRecord =>
  events.reduce((record, event) => evolve(record, event, LIMITS), from)
const booting = (): InstanceRecord => ({
  ...newInstance({ id: 'a', service: 's', release: 'r', at: 0 }),
  process,
})
const failedBoots = (count: number): LifeEvent[] =>
  Array.from({ length: count }, (_, index) => ({ kind: 'start-failed', at: index, failure }))
const facts = (now: number) => ({
  ...{ now, deadlineMs: LIMITS.deadlineMs, startDeadlineMs: start.deadlineMs, stopGraceMs: 100 },
  mayRestart: true,
})

describe('an instance that boots', () => {
  it('is asked nothing but whether it has started, and its failures count against nobody', () => {
    const record = lived(failedBoots(50))
    expect([record.state, record.consecutiveProbeFailures, isBooting(record, LIMITS)]).toEqual([
      'starting',
      0,
      true,
    ])
    expect([isAskedWhetherLive(record), record.lastProbeFailure]).toEqual([false, failure])
  })

  it('has the whole deadline to become ready in after it has booted', () => {
    const booted = lived([...failedBoots(3), { kind: 'start-passed', at: 4900 }])
    expect(isBooting(booted, LIMITS)).toBe(false)
    expect(nextStep(booted, facts(5899))).toBe('none')
    expect(nextStep(booted, facts(5900))).toBe('fail')
    expect(lived([{ kind: 'probe-passed', at: 5000 }], booted).state).toBe('ready')
  })

  it('has failed where its boot takes longer than it may', () => {
    expect(nextStep(booting(), facts(4999))).toBe('none')
    expect(nextStep(booting(), facts(5000))).toBe('fail')
  })

  it('boots anew after a crash, within the time that both phases have together', () => {
    const exit = { code: 1, signal: null, cause: 'exited' as const, at: 4000 }
    const crashed = lived([
      { kind: 'start-passed', at: 3000 },
      { kind: 'exited', at: 4000, exit, addressInUse: false },
    ])
    expect(nextStep(crashed, facts(5500))).toBe('spawn')
    expect(nextStep(crashed, facts(6000))).toBe('fail')
    const again = lived([{ kind: 'spawning', at: 4500, port: 1 }], crashed)
    expect(isBooting(again, LIMITS)).toBe(true)
  })

  it('that was ready in an earlier life is unready once it boots for too long, and not failed', () => {
    const restarted = { ...booting(), everReady: true }
    expect(lived([{ kind: 'start-failed', at: 5000, failure }], restarted).state).toBe('starting')
    const late = lived([{ kind: 'start-failed', at: 5001, failure }], restarted)
    expect([late.state, nextStep(late, facts(9000))]).toEqual(['unready', 'none'])
  })

  it('is as it ever was where nothing asks for a start', () => {
    expect(isBooting(booting(), {})).toBe(false)
    expect(nextStep(booting(), { ...facts(1000), startDeadlineMs: null })).toBe('fail')
  })
})
