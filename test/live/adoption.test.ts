import { spawn } from 'node:child_process'
import path from 'node:path'
import { expect, it } from 'vitest'
import * as z from 'zod'
import { freePort } from '../../src/testkit/free-port.ts'
import { isAlive } from './kit/processes.ts'
import { eventually } from './kit/settle.ts'
import { createStack, type Stack } from './kit/stack.ts'
import { expectNothingLost, startTraffic } from './kit/traffic.ts'

it('an app started by hand is adopted without a lost request and given back as it was, with the same pid (S3, S8)', async () => {
  const stack = await createStack({ versions: { '0.9.0': {} } })
  const { pid, port } = await startByHand(stack, '0.9.0')
  await stack.startController()

  expect((await stack.cli('adopt', '--version', '0.9.0', '--port', `${port}`)).code).toBe(0)
  await stack.weight('0.9.0', 1000)
  const traffic = await startTraffic(stack)
  await eventually('some answers', () => traffic.load.stats().answered > 60)
  expectNothingLost(await traffic.stop())
  expect((await stack.view()).sets[0]?.instances[0]?.pid).toBe(pid)

  expect((await stack.cli('unadopt')).code).toBe(0)
  await eventually(
    'no listener of the data plane',
    async () => (await stack.get('/').catch(() => null)) === null,
  )
  expect(isAlive(pid)).toBe(true)
  expect((await fetch(`http://127.0.0.1:${port}/up`)).status).toBe(200)
})

it('a canary replaces an adopted app under load, which is stopped only after the new instances have its traffic (S3)', async () => {
  const stack = await createStack({ versions: { '0.9.0': {}, '1.0.0': {} } })
  const { pid, port } = await startByHand(stack, '0.9.0')
  await stack.startController()
  await stack.call('adopt', { version: '0.9.0', port }, z.unknown())
  await eventually('a stable release', async () => (await stack.view()).stable?.version === '0.9.0')
  const traffic = await startTraffic(stack)

  const replaced = await stack.deploy('1.0.0')
  expect(replaced).toMatchObject({ outcome: 'promoted', from: { version: '0.9.0' } })
  expectNothingLost(await traffic.stop())
  await eventually('the end of the adopted process', () => !isAlive(pid))
  expect(stack.instances()).toHaveLength(2)
})

async function startByHand(stack: Stack, version: string): Promise<{ pid: number; port: number }> {
  const port = await freePort()
  const child = spawn(process.execPath, ['server.js'], {
    cwd: path.join(stack.folder, 'releases', version),
    env: { ...process.env, PORT: `${port}`, SLUICE_VERSION: version },
    stdio: 'ignore',
  })
  await eventually(
    'an app by hand',
    async () => (await fetch(`http://127.0.0.1:${port}/up`).catch(() => null))?.status === 200,
  )
  return { pid: child.pid ?? 0, port }
}
