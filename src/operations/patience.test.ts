import { expect, it } from 'vitest'
import { OPERATIONS } from './list.ts'
import { bringsRelease, patienceMs } from './patience.ts'

it('those that bring a release here get the time that an image takes, all others the usual one', () => {
  const named = OPERATIONS.map(({ name }) => name)
  expect(named.filter(bringsRelease)).toEqual(expect.arrayContaining(['plan', 'deploy', 'rollback']))
  expect(named.filter(bringsRelease)).toHaveLength(3)
  expect(patienceMs('deploy', 30_000)).toBe(720_000)
  expect(patienceMs('get_service', 30_000)).toBe(30_000)
})
