import { describe, expect, it } from 'vitest'
import { releaseRecord, type SettingsChange, simulatedSettings } from '../../testkit/simulator/settings.ts'
import { capacityOf } from './capacity.ts'
import { composePlan } from './compose.ts'
import { describePlan } from './picture/plan-chart.ts'
import { recommend } from './recommendation/recommend.ts'

const settingsOf = (shadow: SettingsChange['shadow'] = {}) => simulatedSettings({ shadow })
function planOf(shadow: SettingsChange['shadow'] = {}, kind: 'deploy' | 'full' = 'deploy') {
  const settings = settingsOf(shadow)
  const content = composePlan({
    release: releaseRecord('1.1.0', settings),
    stable: releaseRecord('1.0.0', settings),
    ...{ candidate: null, kind, back: null, actor: 'ada', now: 0, warnings: [] },
    history: { provisionMs: 9000, drainMs: 100, vacateMs: null, trafficOffMs: [] },
  })
  return { ...content, id: 'p', hash: 'h' }
}
const labels = (plan: ReturnType<typeof planOf>) => plan.steps.map(({ label }) => label)

describe('a plan with a shadow', () => {
  it('copies first, and moves all traffic then', () => {
    expect(labels(planOf())).toEqual([
      'start 2 instances',
      'copy 50% of requests for 1m',
      'traffic 100%',
      'watch 30s',
      'make it stable',
      'drain the old set',
      'stop the old set',
    ])
    expect(labels(planOf({ forMs: null }))).toContain('copy 50% of requests until promoted by hand')
  })

  it('expects the time of the copies, and has a way back of its own meanwhile', () => {
    const { steps, expectedMs } = planOf()
    expect([steps[1]?.expectedMs, expectedMs]).toEqual([60_000, 99_100])
    expect(steps[1]?.rollback).toBe(
      'No user has seen it: the copies end, the new instances stop, 1.0.0 is untouched.',
    )
    expect(planOf({ forMs: null }).expectedMs).toBeNull()
  })

  it('needs twice what stable has', () => {
    const settings = settingsOf()
    const { peak, steps } = capacityOf(planOf(), { stable: 2, settings })
    expect(peak).toEqual({ percent: 200, formula: 'stable 2, and the candidate 2' })
    expect(steps[1]?.capacityPercent).toBe(200)
  })

  it('says what is copied and compared, and what users get', () => {
    const { besides } = planOf({
      methods: ['GET', 'POST'],
      idempotent: [{ method: 'POST', path: '/search/*' }],
    })
    expect(besides).toEqual([
      "50% of these requests are copied to the candidate while it has no traffic: GET, POST /search/*. Users get stable's answer alone; the candidate reads sluice-shadow: 1.",
      'Compared with what the user got: status, latency and body. What the copies write is written: what is behind the candidate must bear that.',
    ])
  })

  it('is drawn with no share of traffic until the copies are over', () => {
    expect(describePlan(planOf())).toContain(
      'Step 2 +9s: 0% of traffic, 2 old and 2 new instances, way back B',
    )
  })

  it('can be passed over by a person, who then makes no copies', () => {
    expect(labels(planOf({}, 'full'))).not.toContain('copy 50% of requests for 1m')
  })

  it('has a name of its own beside what is recommended', () => {
    const { strategy } = settingsOf()
    const { used, differs } = recommend({ declared: {}, risk: 'low', changes: null, strategy })
    expect([used, differs]).toEqual(['shadow', true])
  })
})
