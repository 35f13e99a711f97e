import fc from 'fast-check'
import { expect, it } from 'vitest'
import { problem } from '../core/shared/problem.ts'
import { failed } from '../core/shared/result.ts'
import { damagedContent } from '../testkit/damage.test.kit.ts'
import { createControl } from './control.ts'

const token = { epoch: 1, sequence: 1, rollout: null }
const SOUND = { token, replicas: 1, spec: { service: 's', release: 'r' }, service: 's', release: 'r' }

/** An agent that admits nobody: whatever is sent is read, and nothing is ever started. */
const fenced = failed(problem('TOKEN_FENCED', { message: 'Too old.', remedy: 'Stop.' }))
const reported: unknown[] = []
// What is behind the door is never reached here, so it is not there.
const app = createControl(
  Object.assign(Object.create(null), {
    registry: { admit: () => fenced },
    secrets: { redact: (text: string) => text },
    report: (error: unknown) => void reported.push(error),
  }),
)

const body = damagedContent(SOUND)
const call = fc.constantFrom<[string, string]>(
  ['PUT', '/sets/s/r'],
  ['DELETE', '/sets/s/r?token=%7B'],
  ['DELETE', '/sets/s/r?token=%7B%22epoch%22%3A1%7D'],
  ['POST', '/sets/s/r/quiesce'],
  ['POST', '/sets/s/r/adopt'],
  ['POST', '/sets/s/r/release'],
  ['PUT', '/sets/%/r'],
  ['GET', '/services/s/logs?lines=-1'],
  ['POST', '/images/resolve'],
  ['POST', '/images/prune'],
  ['POST', '/images/diagnose'],
  ['PATCH', '/sets'],
)

it('refuses whatever is sent to it in words, and takes none of it for a bug', async () => {
  await fc.assert(
    fc.asyncProperty(call, body, async ([method, path], text) => {
      const answer = await app.request(path, { method, ...(method === 'GET' ? {} : { body: text }) })
      expect(answer.status).toBeGreaterThanOrEqual(400)
      expect(answer.status).toBeLessThan(500)
      expect(await answer.json()).toMatchObject({ problem: { code: expect.stringMatching(/^[A-Z_]+$/) } })
    }),
    { numRuns: 150 },
  )
  expect(reported).toEqual([])
})
