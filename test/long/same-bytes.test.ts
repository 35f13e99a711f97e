import { appendFileSync } from 'node:fs'
import path from 'node:path'
import { expect, it } from 'vitest'
import * as z from 'zod'
import { startStack } from '../live/kit/stack.ts'
import { keepAsking } from '../live/kit/traffic.ts'

const Planned = z.object({ id: z.string(), kind: z.string() })

it('rollback after a promotion runs the bytes and the configuration of then, though folder and file changed since', async () => {
  const run = { artifact: './releases/{{version}}', command: 'node server.js', replicas: 2 }
  const stack = await startStack({
    versions: { '1.0.0': { marker: 'old bytes' }, '1.1.0': {} },
    stable: '1.0.0',
    file: { run: { ...run, env: { KEPT: 'old value' } } },
  })
  stack.writeFile({ run: { ...run, env: { KEPT: 'new value' } } })
  keepAsking(stack)
  expect((await stack.deploy('1.1.0')).outcome).toBe('promoted')
  stack.writeVersion('1.0.0', { marker: 'other bytes under the same name' })

  const back = await stack.cli('rollback')

  expect(back.code).toBe(0)
  expect(await stack.get('/marker')).toMatchObject({ body: 'old bytes', version: '1.0.0' })
  expect(await stack.get('/variable')).toMatchObject({ body: 'old value' })
})

it('a plan is refused when the artifact changed or stable moved, and the same deploy twice has nothing to do', async () => {
  const stack = await startStack({ versions: { '1.0.0': {}, '1.1.0': {}, '1.2.0': {} }, stable: '1.0.0' })
  keepAsking(stack)

  const changed = await stack.call('plan', { version: '1.1.0' }, Planned)
  appendFileSync(path.join(stack.folder, 'releases', '1.1.0', 'server.js'), '// one more line\n')
  const refused = await stack.cli('deploy', '--plan', changed.id, '--yes')
  expect(refused.code).toBe(13)
  expect(refused.err).toContain('the artifact of 1.1.0 has other bytes now')
  expect(refused.err).toContain('something like a log is written into its folder')

  const moved = await stack.call('plan', { version: '1.2.0' }, Planned)
  expect((await stack.deploy('1.1.0')).outcome).toBe('promoted')
  expect(await stack.refusal('deploy', { plan: moved.id })).toBe('PLAN_MOVED')
  expect((await stack.cli('deploy', '--plan', moved.id, '--yes')).code).toBe(13)

  const again = await stack.cli('deploy', '1.1.0', '--yes')
  expect(again.code).toBe(0)
  expect((await stack.call('plan', { version: '1.1.0' }, Planned)).kind).toBe('none')
})

it('a version without an artifact is refused and touches nothing, and goes on once it is there (S4)', async () => {
  const stack = await startStack({ versions: { '1.0.0': {} }, stable: '1.0.0' })
  keepAsking(stack)
  const refused = await stack.cli('deploy', '1.1.0', '--yes')
  expect(refused.err).toContain('ARTIFACT_NOT_FOUND')
  expect(refused.err).toContain('there are: 1.0.0')
  expect((await stack.view()).rollout?.to.version).toBe('1.0.0')
  expect(await stack.get('/')).toMatchObject({ version: '1.0.0' })

  stack.writeVersion('1.1.0', {})
  expect((await stack.deploy('1.1.0')).outcome).toBe('promoted')
})
