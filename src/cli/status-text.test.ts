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
})
