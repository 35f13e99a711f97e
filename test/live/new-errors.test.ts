import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, it } from 'vitest'
import { createStack, quickAnalysis } from './kit/stack.ts'
import { keepAsking } from './kit/traffic.ts'

const SECRET = 'canary-token-6f1b9d0e42aa'
const BOTH = 'ERROR cache miss for item {n}'
const file = {
  run: {
    artifact: './releases/{{version}}',
    command: 'node server.js',
    replicas: 2,
    secrets: ['API_KEY'],
    stopGrace: '5s',
  },
  strategy: {
    canary: { steps: [{ weight: '25%', pause: '90s' }, { weight: '100%' }], watch: '500ms', hold: '200ms' },
  },
  analysis: { ...quickAnalysis, newErrors: 'critical' },
}

it('a version that writes an error stable never wrote goes back though no request fails, and the reason shows the line', async () => {
  const stack = await createStack({
    versions: {
      '1.0.0': { writes: [BOTH] },
      '1.1.0': { writes: [BOTH, 'TypeError: order {n} of {key} has no price'] },
    },
    file,
  })
  await stack.startController()
  writeFileSync(path.join(stack.state, 'secrets.env'), `API_KEY=${SECRET}\n`, { mode: 0o600 })
  await stack.deploy('1.0.0')
  keepAsking(stack)
  const { code, out, err } = await stack.cli('deploy', '1.1.0', '--yes')
  expect(code).toBe(10)
  expect(out + err).toMatch(/1\.1\.0 writes an error that 1\.0\.0 does not, \d+ times so far/)

  const { rollout } = await stack.view()
  expect(rollout).toMatchObject({
    outcome: 'rolled_back',
    reason: { code: 'NEW_ERRORS' },
    exposure: { errors: 0 },
    newErrors: [
      {
        template: 'TypeError: order <n> of [redacted] has no price',
        example: expect.stringMatching(/^TypeError: order \d+ of \[redacted\] has no price$/),
        isShown: true,
      },
    ],
  })
  const status = await stack.cli('status')
  expect(status.out).toMatch(/new error +\d+ times TypeError: order \d+ of \[redacted\]/)
  expect(JSON.stringify(stack.journal()) + out + err + status.out).not.toContain(SECRET)
})
