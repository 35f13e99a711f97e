import { describe, expect, it } from 'vitest'
import { simulatedSettings } from '../../testkit/simulator/settings.ts'
import { canarySteps } from '../strategy/canary.ts'
import { besidesOf, stickyWarnings } from './besides.ts'

const side = {
  preview: { host: '127.0.0.1', port: 8090 },
  routes: [
    { kind: 'exact', in: 'header', name: 'x-tester', value: '1' },
    { kind: 'pattern', in: 'cookie', name: 'group', pattern: 'qa-*' },
    { kind: 'pattern', in: 'header', name: 'x-any', pattern: '*' },
  ],
} as const
const sticky = (forMs: number) => ({ sticky: { cookie: 'sluice-release', forMs } })
const warningsWith = (forMs: number) => {
  const settings = simulatedSettings({ strategy: sticky(forMs) })
  return settings.strategy.kind === 'canary'
    ? stickyWarnings(settings, canarySteps(settings, settings.strategy))
    : []
}

describe('who reaches the candidate besides the weights', () => {
  it('is said in the plan, one sentence each', () => {
    const settings = simulatedSettings({
      strategy: { ...side, routes: [...side.routes], ...sticky(3_600_000) },
    })
    expect(besidesOf(settings)).toEqual([
      '127.0.0.1:8090 shows the candidate once it has a ready instance; that is no live traffic.',
      'Requests whose header x-tester is "1" go to the candidate whatever its weight, and are counted apart.',
      'Requests whose cookie group fits "qa-*" go to the candidate whatever its weight, and are counted apart.',
      'Requests whose header x-any is there go to the candidate whatever its weight, and are counted apart.',
      'Users keep their version by the cookie sluice-release, for 1h; new users keep to the share of the step.',
    ])
    expect(besidesOf(simulatedSettings())).toEqual([])
  })

  it('warns of users who are dealt anew before the steps end', () => {
    expect(warningsWith(30_000)).toEqual([])
    expect(warningsWith(29_000)).toEqual([
      'Users keep their version for 29s, and the steps last 30s: some are dealt anew on the way. Write a longer sticky.for.',
    ])
  })
})
