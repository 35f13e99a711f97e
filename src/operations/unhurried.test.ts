import { setImmediate as turn } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { unhurried } from './unhurried.ts'

it('lets other work run in between, and gives what the steps came to', async () => {
  let steps = 0
  function* long() {
    for (; steps < 100; steps += 1) yield undefined
    return 'done'
  }
  const seen: number[] = []
  const work = unhurried(long())
  while (steps < 100) {
    seen.push(steps)
    await turn()
  }
  expect(await work).toBe('done')
  expect(seen.length).toBeGreaterThan(3)
})
