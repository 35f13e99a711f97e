import { expect, it } from 'vitest'
import { problem } from '../../core/shared/problem.ts'
import { freezeConformance } from '../conformance/freeze.ts'
import { createFreezesFake } from './freezes.ts'

freezeConformance('fake', async () => createFreezesFake().freezes)

it('can be broken and mended', async () => {
  const { freezes, breakWith } = createFreezesFake()
  breakWith(problem('DOWN', { message: 'no answer', remedy: 'Wait.' }))
  expect(await freezes.read('production')).toMatchObject({ kind: 'failed', problem: { code: 'DOWN' } })
  breakWith(null)
  expect(await freezes.read('production')).toMatchObject({ kind: 'ok' })
})
