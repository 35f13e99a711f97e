import { describe, expect, it } from 'vitest'
import { problem } from '../core/shared/problem.ts'
import { failed, ok } from '../core/shared/result.ts'
import type { ProxyProgram } from '../ports/proxy.ts'
import { ofProxy, runUpgrade } from './upgrade-router.ts'

const running = (version: string | null, upgrade: ProxyProgram['upgrade']): ProxyProgram => ({
  installed: '1.1.0',
  info: async () => ok({ pid: 7, version, leaving: 0 }),
  upgrade,
})
const takesOver = async () => ok({ pid: 8, version: '1.1.0' })
const mayNot = () => Promise.reject(new Error('nobody asked for this'))

describe('an upgrade of the proxy', () => {
  it.each(['1.0.0', '1.2.0', null])(
    'is done by `up` when the one that runs is of version %s',
    async (version) => {
      expect(await runUpgrade(running(version, takesOver), { onlyOther: true })).toEqual(
        ok({ upgraded: true, from: version, to: '1.1.0', pid: 8 }),
      )
    },
  )

  it('is not done by `up` when it is of this version', async () => {
    expect(await runUpgrade(running('1.1.0', mayNot), { onlyOther: true })).toEqual(
      ok({ upgraded: false, from: '1.1.0', to: '1.1.0', pid: 7 }),
    )
  })

  it('is done by hand in any case', async () => {
    expect(await runUpgrade(running('1.1.0', takesOver), { onlyOther: false })).toMatchObject({
      value: { upgraded: true, pid: 8 },
    })
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
