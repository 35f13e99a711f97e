import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, it } from 'vitest'
import { isAlive } from './kit/processes.ts'
import { eventually } from './kit/settle.ts'
import { startStack } from './kit/stack.ts'
import { expectNothingLost, startTraffic } from './kit/traffic.ts'

it('several processes of the proxy carry a rollout, come back after a death and leave with the rest', async () => {
  const stack = await startStack({
    versions: { '1.0.0': {}, '1.1.0': {} },
    stable: '1.0.0',
    file: {
      strategy: { canary: { steps: [{ weight: '25%', pause: '2s' }, { weight: '100%' }], watch: '300ms' } },
      drain: { requests: '30s', websockets: '1s' },
    },
  })
  const workers = () => {
    const place = path.join(stack.state, 'proxy', 'workers')
    return existsSync(place) ? readdirSync(place).map(Number) : []
  }
  const traffic = await startTraffic(stack, { ratePerSecond: 40 })
  const up = await stack.cli('up', '--proxy-workers', '2')
  expect(up).toMatchObject({ code: 0 })
  expect(up.out).toContain('leads 2 processes, no request was lost')
  await eventually('a worker serves', async () => {
    const { out } = await stack.cli('doctor')
    return workers().length === 1 && !out.includes('processes of the proxy serve')
  })
  expect(await stack.outcome(await stack.begin('1.1.0'))).toBe('promoted')
  expectNothingLost(await traffic.stop())
  // The same number: there is nothing to do.
  expect((await stack.cli('up')).out).not.toContain('proxy')

  const [lead, [worker = -1]] = [stack.pid('proxy'), workers()]
  process.kill(lead, 'SIGKILL')
  await eventually('the next one leads', () => {
    const pid = Number(readFileSync(path.join(stack.state, 'proxy', 'proxy.pid'), 'utf8'))
    return pid !== lead && isAlive(pid)
  })
  await eventually('it has a worker, too', () => workers().length === 1 && workers()[0] !== worker)
  await eventually('the old worker is gone', () => !isAlive(worker))

  const last = [stack.pid('proxy'), ...workers()]
  expect((await stack.cli('down', '--yes')).code).toBe(0)
  await eventually('no process of the proxy is left', () => last.every((pid) => !isAlive(pid)))
})
