import { describe, expect, it } from 'vitest'
import { NOW, serviceView } from './fixture/view.test.fixture.ts'
import { statusLines } from './status-text.ts'
import { paintLine } from './text/line.ts'

const text = (view: Parameters<typeof statusLines>[0]): string =>
  statusLines(view, { columns: 120, now: NOW })
    .map((line) => paintLine(line, false))
    .join('\n')

describe('the status of a service', () => {
  it('says before the first deploy that there was none, and how to begin', () => {
    const shown = text(serviceView({ listen: '', stable: null, sets: [], rollout: null, timeline: [] }))
    expect(shown).not.toContain('takes traffic on')
    expect(shown).toContain(
      'stable    nothing was deployed yet; sluice deploy VERSION releases the first version',
    )
  })

  it('puts trouble of the parts around the rollout right below what it waits for', () => {
    const shown = text(serviceView({ warnings: ['The built-in proxy does not answer on /run/proxy.sock.'] }))
    expect(shown).toMatch(
      /waiting .*\n {2}warning {3}The built-in proxy does not answer.*\n {2}to do .*`sluice doctor`/,
    )
  })

  it('says what a preview address shows and who else reaches the candidate', () => {
    const besides = [
      { kind: 'preview' as const, sentence: '127.0.0.1:8090 shows 1.1.0' },
      { kind: 'rule' as const, sentence: 'requests whose header x-tester is there go to 1.1.0' },
    ]
    const shown = text(serviceView({ besides }))
    expect(shown).toContain(
      '  besides   127.0.0.1:8090 shows 1.1.0\n            requests whose header x-tester',
    )
  })

  it('says how long a promoted release is watched lightly, and what was found', () => {
    const sentence = '1.1.0 is watched lightly for 18h more, 90 requests with 2 errors counted, nothing found'
    const lightWatch = {
      ...{
        release: '1.1.0-r',
        version: '1.1.0',
        rollout: 'r',
        startedAt: 0,
        until: 1,
        requests: 90,
        errors: 2,
      },
      ...{ onFinding: 'alarm' as const, blindSince: null, alarms: [], sentence },
    }
    expect(text(serviceView({ lightWatch }))).toContain(`  watch     ${sentence}`)
  })
})
