import { expect, it } from 'vitest'
import { freePort } from '../../src/testkit/free-port.ts'
import { createStack, impatientHealth, startStack } from './kit/stack.ts'

const run = { artifact: './releases/{{version}}', command: 'node server.js', replicas: 2 }

it('a candidate that never becomes ready ends with exit code 10 and names probe, answer, last lines and the next command (S141)', async () => {
  const stack = await startStack({
    versions: { '1.0.0': {}, '1.1.0': { neverReady: true, says: 'waiting for the moon' } },
    stable: '1.0.0',
  })
  stack.writeFile({ health: impatientHealth })
  const { code, out, err } = await stack.cli('deploy', '1.1.0', '--yes')
  const said = out + err

  expect(code).toBe(10)
  expect(said).toMatch(/GET http:\/\/127\.0\.0\.1:\d+\/up answered 503/)
  expect(said).toContain('waiting for the moon')
  expect(said).toMatch(/sluice logs --release 1\.1\.0/)
  expect(await stack.get('/')).toMatchObject({ status: 200, version: '1.0.0' })
})

it('a first release that never becomes ready fails with exit code 16, and a good version heals it (S1, S2)', async () => {
  const stack = await createStack({
    versions: { '1.0.0': { neverReady: true }, '1.0.1': {} },
    file: { health: impatientHealth },
  })
  const bad = await stack.cli('deploy', '1.0.0', '--yes')
  expect(bad.code).toBe(16)
  expect(bad.out + bad.err).toContain('never became ready')

  stack.writeFile({})
  const good = await stack.cli('deploy', '1.0.1', '--yes')
  expect(good.code).toBe(0)
  expect(await stack.get('/')).toMatchObject({ status: 200, version: '1.0.1' })
})

it('a command that does not exist is named, and nothing waits for its deadline', async () => {
  const stack = await startStack({
    versions: { '1.0.0': {}, '1.1.0': {} },
    stable: '1.0.0',
  })
  stack.writeFile({
    run: { ...run, command: 'no-such-program server.js' },
    health: { ...impatientHealth, deadline: '2s' },
  })
  const { code, out, err } = await stack.cli('deploy', '1.1.0', '--yes')

  expect(code).toBe(10)
  expect(out + err).toContain('no-such-program')
})

it('an app that listens on a port of its own choice is told which port it was given', async () => {
  const ownPort = await freePort()
  const stack = await createStack({
    versions: { '1.0.0': { ownPort } },
    file: { run: { ...run, replicas: 1 }, health: impatientHealth },
  })
  const { code, out, err } = await stack.cli('deploy', '1.0.0', '--yes')

  expect(code).toBe(16)
  expect(out + err).toContain(`${ownPort}`)
  expect(out + err).toMatch(/PORT|\{\{port\}\}/)
})

it('a version that ends at once tells its exit code', async () => {
  const stack = await startStack({
    versions: { '1.0.0': {}, '1.1.0': { exitsWith: 3, says: 'no database here' } },
    stable: '1.0.0',
  })
  stack.writeFile({ health: impatientHealth })
  const { code, out, err } = await stack.cli('deploy', '1.1.0', '--yes')

  expect(code).toBe(10)
  expect(out + err).toMatch(/exit code 3|code 3/)
  expect(out + err).toContain('no database here')
})
