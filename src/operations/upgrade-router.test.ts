import { describe, expect, it } from 'vitest'
import { problem } from '../core/shared/problem.ts'
import { type ProxyWorkers, proxyProcesses } from '../core/shared/proxy-workers.ts'
import { failed, ok } from '../core/shared/result.ts'
import type { ProxyProgram } from '../ports/proxy.ts'
import { ofProxy, runUpgrade } from './upgrade-router.ts'

const CORES = 6

type Running = { asked?: number; serving?: number; workers?: ProxyWorkers; kept?: ProxyWorkers[] }

const running = (
  version: string | null,
  upgrade: ProxyProgram['upgrade'],
  { asked = 1, serving = asked, workers = asked, kept = [] }: Running = {},
): ProxyProgram => ({
  installed: '1.1.0',
  info: async () => ok({ pid: 7, version, leaving: 0, processes: { asked, serving } }),
  workers,
  keep: (now) => void kept.push(now),
  processesFor: (now) => proxyProcesses(now, CORES),
  upgrade,
})
const takesOver = async () => ok({ pid: 8, version: '1.1.0' })
const mayNot = () => Promise.reject(new Error('nobody asked for this'))

describe('an upgrade of the proxy', () => {
  it.each(['1.0.0', '1.2.0', null])(
    'is done by `up` when the one that runs is of version %s',
    async (version) => {
      expect(await runUpgrade(running(version, takesOver), { onlyOther: true })).toEqual(
        ok({ upgraded: true, from: version, to: '1.1.0', pid: 8, processes: 1 }),
      )
    },
  )

  it('is not done by `up` when it is of this version', async () => {
    expect(await runUpgrade(running('1.1.0', mayNot), { onlyOther: true })).toEqual(
      ok({ upgraded: false, from: '1.1.0', to: '1.1.0', pid: 7, processes: 1 }),
    )
  })

  it('is done by hand in any case', async () => {
    expect(await runUpgrade(running('1.1.0', takesOver), { onlyOther: false })).toMatchObject({
      value: { upgraded: true, pid: 8 },
    })
  })

  it('goes to another number of processes, which is kept for every later start', async () => {
    const kept: ProxyWorkers[] = []
    const proxy = running('1.1.0', takesOver, { kept })
    expect(await runUpgrade(proxy, { onlyOther: true, workers: 'auto' })).toMatchObject({
      value: { upgraded: true, processes: CORES },
    })
    expect(kept).toEqual(['auto'])
  })

  it('is not done for the number of processes that serves already, and keeps how it was said', async () => {
    const kept: ProxyWorkers[] = []
    const proxy = running('1.1.0', mayNot, { asked: CORES, kept })
    expect(await runUpgrade(proxy, { onlyOther: true, workers: 'auto' })).toMatchObject({
      value: { upgraded: false, processes: CORES },
    })
    expect(kept).toEqual(['auto'])
  })

  it('keeps the number of processes when none is named', async () => {
    const asked: ProxyWorkers[] = []
    const upgrade: ProxyProgram['upgrade'] = async (workers) => {
      asked.push(workers)
      return takesOver()
    }
    await runUpgrade(running('1.0.0', upgrade, { asked: 3 }), { onlyOther: true })
    // As after a start by an older version that knew nothing of it.
    await runUpgrade(running('1.1.0', upgrade, { asked: 1, workers: 'auto' }), { onlyOther: true })
    expect(asked).toEqual([3, 'auto'])
  })

  it('keeps no number with which no proxy could serve', async () => {
    const kept: ProxyWorkers[] = []
    const why = problem('PROXY_UPGRADE_FAILED', { message: 'It ended.', remedy: 'Look.' })
    const proxy = running('1.1.0', async () => failed(why), { kept })
    expect(await runUpgrade(proxy, { onlyOther: true, workers: 4 })).toEqual(failed(why))
    expect(kept).toEqual([])
  })

  it('says why it was not done', async () => {
    const why = problem('PROXY_UPGRADE_RUNS', { message: 'It runs already.', remedy: 'Wait.' })
    expect(
      await runUpgrade(
        running('1.0.0', async () => failed(why)),
        { onlyOther: true },
      ),
    ).toEqual(failed(why))
  })
})

describe('what the diagnosis says about the proxy', () => {
  it('is nothing when it is of the installed version, or cannot be asked', async () => {
    expect(await ofProxy(running('1.1.0', mayNot))).toEqual([])
    const away = failed(problem('ROUTER_UNREACHABLE', { message: 'It is away.', remedy: 'Wait.' }))
    expect(await ofProxy({ ...running('1.0.0', mayNot), info: async () => away })).toEqual([])
  })

  it('is a warning while fewer processes serve than were asked for', async () => {
    expect(await ofProxy(running('1.1.0', mayNot, { asked: 3 }))).toEqual([])
    const [finding] = await ofProxy(running('1.1.0', mayNot, { asked: 3, serving: 2 }))
    expect(finding).toMatchObject({ level: 'warning', code: 'PROXY_WORKERS_MISSING' })
    expect(finding?.message).toContain('2 of 3 processes')
  })

  it.each([
    ['1.0.0', 'version 1.0.0'],
    [null, 'an older version'],
  ])('is a warning with the command when it is of version %s', async (version, words) => {
    const [finding] = await ofProxy(running(version, mayNot))
    expect(finding).toMatchObject({ level: 'warning', code: 'PROXY_OTHER_VERSION' })
    expect(finding?.message).toContain(words)
    expect(finding?.remedy).toContain('sluice router upgrade')
  })
})
