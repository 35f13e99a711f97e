import { expect, it } from 'vitest'
import type { ProbeFailure } from '../../shared/instance.ts'
import { instanceOf, setOf } from '../set-state.test.kit.ts'
import { lastWords } from './judge-rollout.ts'

const saidBy = (kind: ProbeFailure['kind'], message: string): string =>
  lastWords(
    setOf('1-r', {
      instances: [
        instanceOf('1-r', 0, {
          state: 'crashed',
          lastExit: { code: 1, signal: null, cause: 'exited', at: 5 },
          lastProbeFailure: { kind, message, at: 5 },
        }),
      ],
    }),
  )

it('of an instance that ended are its exit code, unless it never ran: then whoever should have started it knows why', () => {
  expect(saidBy('exited', 'exited with code 1 0.3 s after its start')).toBe(': exit code 1')
  const known = 'DOCKER_EXEC_FORMAT: what shop runs is not made for this machine. Build it for this one.'
  expect(saidBy('not-started', known)).toBe(`: ${known}`)
})
