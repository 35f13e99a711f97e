import { describe, expect, it } from 'vitest'
import { rolloutView, serviceView } from '../../../src/cli/fixture/view.test.fixture.ts'
import type { RolloutView, ServiceView } from '../../../src/core/rollout/view/view.ts'
import { byAttention, progressSummary } from './attention.ts'

const service = (
  stream: string,
  state: RolloutView['state'] | null,
  outcome: RolloutView['outcome'] = null,
) => serviceView({ stream, rollout: state === null ? null : rolloutView({ state, outcome }) })
const order = (...views: ServiceView[]) => byAttention(views).map(({ stream }) => stream)

describe('the overview of services', () => {
  it('shows first what is under way and goes back or waits, then what ended badly, then the rest by name', () => {
    expect(
      order(
        service('api', 'ended', 'rolled_back'),
        service('cart', null),
        service('bill', null),
        service('mail', 'running'),
        service('pay', 'paused'),
        service('shop', 'returning'),
      ),
    ).toEqual(['shop', 'pay', 'api', 'mail', 'bill', 'cart'])
  })

  it('says how many rollouts there are, and how many of them wait', () => {
    expect(progressSummary([service('a', 'ended', 'promoted')])).toBe('Nothing is being rolled out.')
    expect(progressSummary([service('a', 'running')])).toBe('One rollout is in progress.')
    expect(progressSummary([service('a', 'paused')])).toBe('One rollout is in progress, waiting.')
    expect(progressSummary([service('a', 'running'), service('b', 'waiting')])).toBe(
      '2 rollouts are in progress, 1 waiting.',
    )
  })
})
