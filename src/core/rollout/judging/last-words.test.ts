import { expect, it } from 'vitest'
import type { Instance } from '../../shared/instance.ts'
import type { SetState } from '../state.ts'
import { lastWords } from './judge-rollout.ts'

const instance: Instance = {
  id: 'shop-1',
  service: 'shop',
  release: '1-r',
  state: 'crashed',
  host: '127.0.0.1',
  port: 1,
  pid: null,
  startedAt: 0,
  readyAt: null,
  crashes: 1,
  consecutiveProbeFailures: 0,
  lastProbeFailure: null,
  lastExit: { code: 1, signal: null, cause: 'exited', at: 5 },
  logTail: [],
}
const saidBy = (message: string | null): string => {
  const lastProbeFailure = message === null ? null : { kind: 'exited' as const, message, at: 5 }
  const set: SetState = {
    release: '1-r',
    version: '1',
    role: 'candidate',
    replicas: 1,
    adoption: null,
    sequence: 1,
    stage: 'wanted',
    letGoAccepted: false,
    assertedEpoch: 1,
    since: 0,
    releaseAt: null,
    leaving: [],
    dismissed: [],
    instances: [{ ...instance, lastProbeFailure }],
  }
  return lastWords(set)
}

it('of an instance that ended are its exit code, unless whoever started it knows why', () => {
  expect(saidBy(null)).toBe(': exit code 1')
  expect(saidBy('exited with code 1 0.3 s after its start')).toBe(': exit code 1')
  const known = 'DOCKER_EXEC_FORMAT: what shop runs is not made for this machine. Build it for this one.'
  expect(saidBy(known)).toBe(`: ${known}`)
})
