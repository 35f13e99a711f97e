import { describe, expect, it } from 'vitest'
import { evolve } from './instance-life.ts'
import { newInstance } from './instance-record.ts'
import { nextStep } from './next-step.ts'

const LIMITS = { successes: 1, failures: 1, deadlineMs: 1000 }
const process = { pid: 7, startTime: '1' }
const stopping = () => {
  const made = {
    ...newInstance({ id: 'a', service: 's', release: 'r', at: 0 }),
    process,
    state: 'ready' as const,
  }
  return evolve(made, { kind: 'stop-asked', at: 0 }, LIMITS)
}
const at = (now: number, graceMs: number | null = 5000) => ({
  ...{ now, deadlineMs: 1000, stopGraceMs: 100, mayRestart: true },
  graceMs,
})

describe('a worker that is stopped', () => {
  it('is told to take no new work, is left alone for its grace, and is stopped then', () => {
    const told = evolve(stopping(), { kind: 'quiesced', at: 10 }, LIMITS)
    expect(nextStep(stopping(), at(10))).toBe('send-quiesce')
    expect(nextStep(told, at(5009))).toBe('check-gone')
    expect(nextStep(told, at(5010))).toBe('send-term')
    const ended = evolve(told, { kind: 'term-sent', at: 5010 }, LIMITS)
    expect(nextStep(ended, at(5109))).toBe('check-gone')
    expect(nextStep(ended, at(5110))).toBe('send-kill')
  })

  it('is stopped at once where nobody is told beforehand', () => {
    expect(nextStep(stopping(), at(10, null))).toBe('send-term')
  })
})

describe('a worker that is told by a program', () => {
  const told = () => evolve(stopping(), { kind: 'quiesced', at: 10 }, LIMITS)
  const ended = (failure: string | null) => evolve(told(), { kind: 'quiesce-ended', at: 20, failure }, LIMITS)

  it('has its grace from the moment the program began, whether that has ended or not', () => {
    for (const record of [told(), ended(null)]) {
      expect(nextStep(record, at(5009))).toBe('check-gone')
      expect(nextStep(record, at(5010))).toBe('send-term')
    }
  })

  it('is stopped at once where the program failed, and the failure is said', () => {
    const record = ended('./drain.sh: ended with code 3: "no such queue"')
    expect(nextStep(record, at(21))).toBe('send-term')
    expect(record.lastProbeFailure).toEqual({
      kind: 'not-told',
      message:
        'it could not be told to take no new work, so it is stopped at once: ./drain.sh: ended with code 3: "no such queue"',
      at: 20,
    })
  })

  it('is told once more where the program was cut short with the agent, and gets no longer for it', () => {
    expect(nextStep(told(), { ...at(30), tellAgain: true })).toBe('send-quiesce')
    expect(evolve(told(), { kind: 'quiesced', at: 30 }, LIMITS).quiescedAt).toBe(10)
  })

  it('says nothing about a worker that has ended meanwhile', () => {
    const gone = evolve(told(), { kind: 'group-empty', at: 15 }, LIMITS)
    expect(evolve(gone, { kind: 'quiesce-ended', at: 20, failure: 'x' }, LIMITS)).toEqual(gone)
  })
})
