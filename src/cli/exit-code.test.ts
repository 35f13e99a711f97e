import { describe, expect, it } from 'vitest'
import { exitCodeOf, exitCodeOfOutcome } from './exit-code.ts'

describe('exit codes are zero only for promoted and tell the other ends apart (S142)', () => {
  it.each([
    ['USAGE', 2],
    ['CONFIG_UNKNOWN_KEY', 2],
    ['CONFIG_NOT_FOUND', 2],
    ['SERVICE_NOT_FOUND', 2],
    ['SERVICE_AMBIGUOUS', 2],
    ['INIT_NOTHING_FOUND', 2],
    ['JUDGE_NOT_JSON', 2],
    ['INIT_EXISTS', 13],
    ['PLAN_MOVED', 13],
    ['ROLLOUT_IN_PROGRESS', 13],
    ['ARTIFACT_NOT_FOUND', 2],
    ['VERSION_INVALID', 2],
    ['CONFIRMATION_NEEDED', 13],
    ['CONTROLLER_NOT_RUNNING', 20],
    ['CONTROLLER_UNREACHABLE', 20],
    ['AGENT_UNREACHABLE', 20],
    ['INTERNAL', 1],
  ])('%s ends with %i', (code, exitCode) => {
    expect(exitCodeOf({ code })).toBe(exitCode)
  })

  it.each([
    ['promoted', 0],
    ['rolled_back', 10],
    ['aborted', 11],
    ['superseded', 15],
    ['failed', 16],
  ] as const)('outcome %s ends with %i', (outcome, exitCode) => {
    expect(exitCodeOfOutcome(outcome)).toBe(exitCode)
  })
})
