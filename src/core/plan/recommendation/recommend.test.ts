import { describe, expect, it } from 'vitest'
import { simulatedSettings } from '../../../testkit/simulator/settings.ts'
import type { RiskLevel, RiskSettings } from '../../release/risk-settings.ts'
import type { ChangeFacts, VersionStep } from '../risk/change-facts.ts'
import { recommend } from './recommend.ts'

const MINUTE = 60_000
const changes = (step: VersionStep, change: Partial<ChangeFacts> = {}): ChangeFacts => ({
  versions: { from: '1.0.0', to: '1.1.0', step },
  code: true,
  config: [],
  infrastructure: [],
  shrinks: [],
  declared: [],
  untold: [],
  dirty: false,
  ...change,
})
const ask = (declared: RiskSettings, risk: RiskLevel, of: ChangeFacts | null = changes('minor')) =>
  recommend({ declared, risk, changes: of, strategy: simulatedSettings().strategy })

describe('the strategy that fits', () => {
  it.each<[RiskSettings, RiskLevel, string]>([
    [{ application: 'e-commerce' }, 'high', 'blue-green'],
    [{ application: 'e-commerce', downtimeMs: 0 }, 'critical', 'blue-green'],
    [{ application: 'banking' }, 'critical', 'blue-green then canary'],
    [{ application: 'internal' }, 'medium', 'rolling'],
    [{ application: 'internal', downtimeMs: 5 * MINUTE }, 'low', 'rolling'],
    [{ application: 'batch' }, 'low', 'rolling'],
    [{ application: 'static' }, 'low', 'blue-green'],
    [{ application: 'static' }, 'critical', 'blue-green'],
    [{ application: 'unknown' }, 'medium', 'canary'],
    [{}, 'critical', 'canary'],
  ])('of %o with %s risk is %s', (declared, risk, strategy) => {
    const advice = ask(declared, risk)
    expect(advice.strategy).toBe(strategy)
    expect(advice.reasons.length).toBeGreaterThan(0)
  })

  it.each<[string, ChangeFacts | null, string]>([
    ['a major version', changes('major'), 'blue-green'],
    ['a breaking API', changes('patch', { declared: [{ what: 'api', from: '1', to: '2' }] }), 'blue-green'],
    [
      'another schema',
      changes('minor', { declared: [{ what: 'schema', from: '1', to: '2' }] }),
      'blue-green',
    ],
    [
      'another framework',
      changes('minor', { declared: [{ what: 'framework', from: 'a', to: 'b' }] }),
      'blue-green',
    ],
    ['a patch', changes('patch'), 'rolling'],
    ['configuration alone', changes('same', { code: false, config: ['run.env.A'] }), 'rolling'],
    ['a minor version', changes('minor'), 'canary'],
    ['a version that is no number', changes('unknown'), 'canary'],
    ['a first release', null, 'canary'],
  ])('by the type of change: %s', (_, of, strategy) => {
    expect(ask({}, 'medium', of).strategy).toBe(strategy)
  })

  it('goes by the type of change where the row of the application does not fit', () => {
    // No row for little risk, for more downtime than none, or for an internal application that may not be away.
    expect(ask({ application: 'e-commerce' }, 'low', changes('patch')).strategy).toBe('rolling')
    expect(ask({ application: 'e-commerce', downtimeMs: MINUTE }, 'high', changes('minor')).strategy).toBe(
      'canary',
    )
    expect(ask({ application: 'internal', downtimeMs: 0 }, 'medium', changes('minor')).strategy).toBe(
      'canary',
    )
    expect(ask({ application: 'internal' }, 'high', changes('major')).strategy).toBe('blue-green')
    expect(ask({ application: 'batch' }, 'medium', changes('minor')).strategy).toBe('canary')
  })

  it('always says why, and when the file asks for something else', () => {
    const same = ask({}, 'medium')
    expect(same).toMatchObject({ used: 'canary', differs: false })
    expect(same.reasons).toEqual([
      'Nothing is declared about the application (risk.application), which by itself means canary; so the type of change decides.',
      '1.0.0 → 1.1.0 is neither a patch nor a major version: few users meet it first.',
    ])
    expect(ask({ application: 'banking' }, 'critical')).toMatchObject({
      strategy: 'blue-green then canary',
      used: 'canary',
      differs: true,
      reasons: [
        'Banking, critical risk, no downtime: the second set is shown to be good first, and then few users meet it before all do.',
      ],
    })
  })

  it('knows blue-green with the steps of a canary as such', () => {
    const blueGreen = simulatedSettings({
      blueGreen: {
        steps: [
          { weightPermille: 50, pauseMs: 1, criteria: {} },
          { weightPermille: 1000, pauseMs: 0, criteria: {} },
        ],
      },
    })
    const input = { declared: { application: 'banking' as const }, risk: 'critical' as const, changes: null }
    expect(recommend({ ...input, strategy: blueGreen.strategy })).toMatchObject({ differs: false })
  })
})
