import { expect, it } from 'vitest'
import { DeployAnswer } from '../../src/cli/answers.ts'
import { eventsOf } from './kit/journal.ts'
import type { Stack } from './kit/stack.ts'
import { startStack } from './kit/stack.ts'
import { keepAsking } from './kit/traffic.ts'

async function order(stack: Stack, operation: string, input: object, key: string): Promise<string | null> {
  const answer = await stack.client.call(operation, input, DeployAnswer, key)
  return answer.kind === 'ok' ? answer.value.rollout : answer.problem.code
}
const begun = (stack: Stack): number => eventsOf(stack.journal(), 'rollout-started').length

it('a request that comes again under its key begins nothing, during its rollout, after it, and after a death of the controller', async () => {
  const stack = await startStack({ versions: { '1.0.0': {}, '1.1.0': {}, '1.2.0': {} }, stable: '1.0.0' })
  keepAsking(stack)
  const first = await order(stack, 'deploy', { version: '1.1.0' }, 'release-1')
  expect(await order(stack, 'deploy', { version: '1.1.0' }, 'release-1')).toBe(first)
  expect(await order(stack, 'deploy', { version: '1.2.0' }, 'release-1')).toBe('IDEMPOTENCY_KEY_REUSED')
  await stack.kill('controller')
  await stack.startController()
  expect(await order(stack, 'deploy', { version: '1.1.0' }, 'release-1')).toBe(first)
  expect(await stack.outcome(first ?? '')).toBe('promoted')

  const back = await order(stack, 'rollback', {}, 'back-1')
  expect(await stack.outcome(back ?? '')).toBe('promoted')
  const before = begun(stack)
  expect(await order(stack, 'deploy', { version: '1.1.0' }, 'release-1')).toBe(first)
  expect(await order(stack, 'rollback', {}, 'back-1')).toBe(back)
  expect(begun(stack)).toBe(before)
  expect((await stack.view()).stable?.version).toBe('1.0.0')
})
