import { expect, it } from 'vitest'
import { freezeConformance } from '../../../testkit/conformance/freeze.ts'
import { createStoreFake } from '../../../testkit/fakes/store.ts'
import { createFreezes } from './freezes.ts'

const joined = async () => {
  const store = createStoreFake().open()
  await store.join({ name: 'test', pid: 1, startedAt: 0, host: 'here' })
  return store
}

freezeConformance('documents', async () => createFreezes(await joined()))

it('a document that cannot be read is a problem, never "no freeze"', async () => {
  const store = await joined()
  await store.putDocument({
    kind: 'freeze',
    id: 'production',
    stream: 'production',
    at: 1,
    body: { freeze: 7 },
  })
  expect(await createFreezes(store).read('production')).toMatchObject({
    kind: 'failed',
    problem: { code: 'FREEZE_UNREADABLE' },
  })
})
