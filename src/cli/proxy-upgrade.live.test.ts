import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Problem } from '../core/shared/problem.ts'
import { type FakeController, startFakeController } from './fixture/fake-controller.test.fixture.ts'
import { createTestProject, type TestProject } from './fixture/project.test.fixture.ts'
import { createTestIo } from './fixture/test-io.test.fixture.ts'
import { serviceView } from './fixture/view.test.fixture.ts'
import { runCli } from './main.ts'

describe('the proxy of another version', () => {
  let project: TestProject
  let controller: FakeController

  beforeEach(async () => {
    project = createTestProject()
    controller = await startFakeController({ stateFolder: project.stateFolder, view: serviceView() })
  })
  afterEach(async () => {
    await controller.close()
    project.remove()
  })

  const run = async (argv: string[]) => {
    const io = createTestIo({ cwd: project.folder, env: { SLUICE_PLAIN: '1' } })
    return { code: await runCli(argv, io), out: io.stdout(), err: io.stderr(), io }
  }
  const upgraded = (more: object = {}) => ({
    result: { upgraded: true, from: '0.1.0', to: '0.2.0', pid: 8139, ...more },
  })
  const refusal: Problem = {
    code: 'PROXY_UPGRADE_FAILED',
    message: 'The new proxy ended before it served. The old one serves on, nothing was lost.',
    remedy: 'Read .sluice/proxy.log for the reason, then run sluice router upgrade again.',
    retryable: true,
  }

  it('is replaced by up, which says so in one line', async () => {
    controller.answer('upgrade_router', () => upgraded())
    const { code, out } = await run(['up'])
    expect(code).toBe(0)
    expect(out.split('\n').filter((line) => line.includes('proxy'))).toEqual([
      '✓ The proxy was upgraded to 0.2.0.  It was 0.1.0. pid 8139, no request was lost; the old one ends what it has.',
    ])
    expect(controller.calls.at(-2)).toMatchObject({ operation: 'upgrade_router', input: { onlyOther: true } })
  })

  it('is no matter for up when it is of the same version, or when the controller knows nothing of it', async () => {
    expect((await run(['up'])).out).not.toContain('proxy')
    controller.answer('upgrade_router', () => upgraded({ upgraded: false }))
    expect((await run(['up'])).out).not.toContain('proxy')
  })

  it('that cannot be replaced is told by up, which has done the rest', async () => {
    controller.answer('upgrade_router', () => ({ problem: refusal, status: 409 }))
    const { code, out } = await run(['up'])
    expect(code).toBe(0)
    expect(out).toContain(refusal.message)
    expect(out).toContain(refusal.remedy)
  })

  it('is replaced by hand, also by one of the same version', async () => {
    controller.answer('upgrade_router', () => upgraded({ from: '0.2.0' }))
    const { code, out } = await run(['router', 'upgrade'])
    expect(code).toBe(0)
    expect(out).toContain('The proxy 0.2.0 was replaced by a new process.')
    const { io } = await run(['router', 'upgrade', '--json'])
    expect(io.stdout()).toContain('"pid":8139')
  })

  it('that cannot be replaced by hand ends the command with why and what to do', async () => {
    controller.answer('upgrade_router', () => ({ problem: refusal, status: 409 }))
    const { code, err } = await run(['router', 'upgrade'])
    expect(code).not.toBe(0)
    expect(err).toContain(refusal.message)
    expect(err).toContain(refusal.remedy)
  })

  it('goes to another number of processes with up or by hand, and says so', async () => {
    controller.answer('upgrade_router', () => upgraded({ processes: 4 }))
    const { code, out } = await run(['up', '--proxy-workers', 'auto'])
    expect([code, out]).toEqual([
      0,
      expect.stringContaining('pid 8139 leads 4 processes, no request was lost'),
    ])
    expect(controller.calls.at(-2)).toMatchObject({
      operation: 'upgrade_router',
      input: { onlyOther: true, workers: 'auto' },
    })
    expect((await run(['router', 'upgrade', '--proxy-workers', '4'])).out).toContain('leads 4 processes')
    expect(controller.calls.at(-1)).toMatchObject({ operation: 'upgrade_router', input: { workers: 4 } })
  })

  it('that cannot be asked for a number of processes is told by up, for it was asked for', async () => {
    const away: Problem = { ...refusal, code: 'ROUTER_UNREACHABLE', message: 'The proxy is away.' }
    controller.answer('upgrade_router', () => ({ problem: away, status: 409 }))
    expect((await run(['up'])).out).not.toContain(away.message)
    expect((await run(['up', '--proxy-workers', '2'])).out).toContain(away.message)
  })

  it.each([
    [['up', '--proxy-workers', '0'], '"0" is neither auto nor a whole number from 1 to 64'],
    [['up', '--proxy-workers', '2', '--foreground'], 'cannot be said together with --foreground'],
    [['router', 'upgrade', '--proxy-workers', 'all'], '"all" is neither auto nor'],
    [['router', 'check', '--proxy-workers', '2'], 'is for an upgrade'],
  ])('asks nobody for what cannot be: %j', async (argv, why) => {
    const { code, err } = await run(argv)
    expect([code, err]).toEqual([2, expect.stringContaining(why)])
    expect(controller.calls.filter(({ operation }) => operation === 'upgrade_router')).toEqual([])
  })

  it('serves all services: a service is refused', async () => {
    const { code, err } = await run(['router', 'upgrade', 'shop'])
    expect(code).not.toBe(0)
    expect(err).toContain('One proxy serves all services of this folder')
  })

  it('is named by status with the command that replaces it', async () => {
    const proxy = { pid: 71, version: '0.1.0', installed: '0.2.0', leaving: 0 }
    controller.answer('get_proxy', () => ({ result: proxy }))
    expect((await run(['status'])).out).toContain(
      'The proxy that serves (pid 71) is of version 0.1.0, the controller of 0.2.0. `sluice router upgrade`',
    )
    controller.answer('get_proxy', () => ({ result: { ...proxy, version: null } }))
    expect((await run(['status'])).out).toContain('is of an older version')
    controller.answer('get_proxy', () => ({ result: { ...proxy, version: '0.2.0' } }))
    expect((await run(['status'])).out).not.toContain('proxy')
  })
})
