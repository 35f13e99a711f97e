import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { releaseRecord, simulatedSettings } from '../../../testkit/simulator/settings.ts'
import type { Release } from '../../release/release.ts'
import { RISK_LEVELS, type RiskSettings } from '../../release/risk-settings.ts'
import { changesBetween } from '../changes.ts'
import { assessRisk, type RiskFacts } from './assess.ts'
import { changeFacts, type VersionStep, versionStep } from './change-facts.ts'
import type { RiskFactor } from './risk.ts'

const MINUTE = 60_000
const record = (version: string, risk?: RiskSettings, replicas = 2): Release =>
  releaseRecord(version, { ...simulatedSettings({ replicas }), ...(risk === undefined ? {} : { risk }) })

function facts({
  stable = record('1.0.0'),
  release = record('1.0.1'),
  ...change
}: {
  stable?: Release | null
  release?: Release
  back?: Partial<RiskFacts['back']>
  reach?: Partial<RiskFacts['reach']>
  moment?: Partial<RiskFacts['moment']>
} = {}): RiskFacts {
  const changes = stable === null ? null : changeFacts(stable, release, changesBetween(stable, release))
  const back = {
    stable,
    release,
    changes,
    allAtOnce: false,
    shrinksStable: false,
    stopsFirst: false,
    budgetMs: 5 * MINUTE,
    trafficOffMs: [],
  }
  const calm = { held: null, breaker: null, blocked: null, automaticRollbacks: 0, here: null, elsewhere: [] }
  return {
    back: { ...back, ...change.back },
    reach: { declared: release.settings.risk ?? {}, measured: null, production: false, ...change.reach },
    moment: { ...calm, ...change.moment },
  }
}
const factor = (name: RiskFactor['name'], of: RiskFacts): RiskFactor => {
  const found = assessRisk(of).factors.find((one) => one.name === name)
  if (found === undefined) throw new Error(`no factor ${name}`)
  return found
}
const levelOf = (of: RiskFacts): string => assessRisk(of).level
const rank = (of: RiskFacts): number => RISK_LEVELS.indexOf(assessRisk(of).level)

describe('the risk of a plan', () => {
  it('is that of its worst factor, and every factor says what it is judged by', () => {
    const risk = assessRisk(facts({ release: record('2.0.0') }))
    expect(risk.level).toBe('high')
    expect(risk.sentence).toBe('High risk by scope of change.')
    expect(risk.factors.map(({ name }) => name)).toEqual([
      'scope of change',
      'blast radius',
      'way back',
      'timing',
    ])
    expect(factor('scope of change', facts({ release: record('2.0.0') })).evidence[0]).toBe(
      '1.0.0 → 2.0.0 is a major version; the code changes.',
    )
  })

  it('is one level higher when the way back is expected to take over five minutes', () => {
    const slow = { budgetMs: 15 * MINUTE, trafficOffMs: [] }
    expect(levelOf(facts())).toBe('low')
    const risk = assessRisk(facts({ back: slow }))
    expect(risk.level).toBe('medium')
    expect(risk.sentence).toBe('Medium risk by a long way back.')
    expect(risk.rollback).toMatchObject({ forecastMs: 15 * MINUTE, raises: true })
    expect(levelOf(facts({ release: record('2.0.0'), back: slow }))).toBe('critical')
    // What was measured counts more than what may be taken, and five minutes are not over five minutes.
    expect(assessRisk(facts({ back: { ...slow, trafficOffMs: [200, 900] } })).rollback).toMatchObject({
      forecastMs: 900,
      raises: false,
    })
    expect(assessRisk(facts()).rollback.raises).toBe(false)
  })

  it('names changed API, schema and framework by what the file calls them in both releases', () => {
    const before = { api: '1', schema: '41', framework: 'rails-7' }
    const stable = record('1.0.0', before)
    for (const what of ['api', 'schema', 'framework'] as const)
      expect(levelOf(facts({ stable, release: record('1.0.1', { ...before, [what]: 'new' }) }))).toBe('high')
    const schema = facts({ stable, release: record('1.0.1', { ...before, schema: '42' }) })
    expect(factor('scope of change', schema).evidence).toContain('The schema of the data changes: 41 → 42.')
    expect(factor('way back', schema).evidence[0]).toContain(
      'the schema stays 42 until somebody brings 41 back',
    )
    expect(levelOf(facts({ stable, release: record('1.0.1', before) }))).toBe('low')
  })

  it('says of what nothing is known, and counts it as what was declared', () => {
    const unknown = factor('blast radius', facts({ reach: { production: true } }))
    expect(unknown).toMatchObject({ known: false, level: 'medium' })
    expect(unknown.evidence[0]).toMatch(/^Not known: its users\..*it counts as medium, being production\.$/)
    expect(factor('blast radius', facts())).toMatchObject({ known: false, level: 'low' })
    const declared = facts({ release: record('1.0.1', { criticality: 'critical' }) })
    expect(factor('blast radius', declared)).toMatchObject({ known: false, level: 'critical' })
    expect(factor('timing', facts()).evidence).toContain('Not known: who is on call.')
    expect(factor('scope of change', facts()).evidence.at(-1)).toBe(
      'Not known: changes of api, schema, framework. risk.api, risk.schema, risk.framework in the file would tell.',
    )
  })

  it('knows users by what was measured, or by what the file says', () => {
    const measured = { requestsPerSecond: 250, version: '1.0.0' }
    expect(factor('blast radius', facts({ reach: { measured } }))).toMatchObject({
      level: 'high',
      known: true,
      evidence: ['250 requests a second, as measured with 1.0.0.'],
    })
    const release = record('1.0.1', { users: 5_000_000, dependents: ['billing'] })
    expect(factor('blast radius', facts({ release }))).toMatchObject({
      level: 'critical',
      evidence: ['5,000,000 users, as declared.', 'Other services depend on it, as declared: billing.'],
    })
  })

  it('counts fewer instances and another address as less infrastructure', () => {
    const smaller = facts({ stable: record('1.0.0', undefined, 3), release: record('1.0.1', undefined, 2) })
    expect(factor('scope of change', smaller).evidence[0]).toBe(
      'Less infrastructure, or another address: run.replicas.',
    )
    expect(levelOf(smaller)).toBe('medium')
    expect(
      levelOf(facts({ stable: record('1.0.0', undefined, 2), release: record('1.0.1', undefined, 3) })),
    ).toBe('low')
  })

  it('looks at the moment: freeze, window, breaker, what failed and what else moves', () => {
    const waiting = (kind: 'freeze' | 'window') => ({
      kind,
      who: 'bob',
      until: null,
      message: 'local is frozen by bob',
    })
    const at = (moment: Partial<RiskFacts['moment']>): string => factor('timing', facts({ moment })).level
    expect(at({})).toBe('low')
    expect(at({ held: waiting('window') })).toBe('medium')
    expect(at({ held: waiting('freeze') })).toBe('high')
    expect(at({ breaker: 'It is open.' })).toBe('high')
    expect(at({ blocked: 'error rate 7%' })).toBe('high')
    expect(at({ automaticRollbacks: 1 })).toBe('medium')
    expect(at({ elsewhere: ['billing 2.0.0'] })).toBe('medium')
    expect(at({ elsewhere: ['billing 2.0.0', 'search 1.1.0'] })).toBe('high')
  })

  it('has no way back for a first release, and a bad one to an adopted process', () => {
    const first = assessRisk(facts({ stable: null }))
    expect(first.rollback).toMatchObject({ forecastMs: null, raises: false })
    expect(first.level).toBe('medium')
    expect(factor('way back', facts({ stable: { ...record('1.0.0'), adopted: true } })).level).toBe('high')
  })
})

describe('a version against another', () => {
  it.each<[string, string, VersionStep]>([
    ['1.2.3', '2.0.0', 'major'],
    ['2.0.0', '1.9.9', 'major'],
    ['v1.2.3', '1.3.0', 'minor'],
    ['1.2.3', '1.2.4', 'patch'],
    ['1.2.3', '1.2.3-rc.1', 'patch'],
    ['1.2', '1.3', 'minor'],
    ['1.2.3', '1.2.3', 'same'],
    ['2026-11-22', '2026-11-23', 'unknown'],
    ['a1b2c3d', '1.0.0', 'unknown'],
  ])('%s to %s is %s', (from, to, step) => expect(versionStep(from, to)).toBe(step))
})

/** Each makes one thing worse and leaves the rest as it is. */
const WORSE: readonly [string, (of: RiskFacts) => RiskFacts][] = [
  [
    'a slower way back',
    (of) => ({
      ...of,
      back: {
        ...of.back,
        budgetMs: of.back.budgetMs * 4,
        trafficOffMs: of.back.trafficOffMs.map((ms) => ms * 4),
      },
    }),
  ],
  ['all traffic at once', (of) => ({ ...of, back: { ...of.back, allAtOnce: true } })],
  ['a dirty tree', (of) => changed(of, (changes) => ({ ...changes, dirty: true }))],
  [
    'a major version',
    (of) => changed(of, (changes) => ({ ...changes, versions: { ...changes.versions, step: 'major' } })),
  ],
  [
    'another schema',
    (of) =>
      changed(of, (changes) => ({
        ...changes,
        declared: [...changes.declared, { what: 'schema', from: '1', to: '2' }],
      })),
  ],
  [
    'less infrastructure',
    (of) => changed(of, (changes) => ({ ...changes, shrinks: [...changes.shrinks, 'run.replicas'] })),
  ],
  [
    'more configuration',
    (of) => changed(of, (changes) => ({ ...changes, config: [...changes.config, 'run.env.A'] })),
  ],
  [
    'more users',
    // To learn that there are few is no worsening, so they must be known before.
    (of) =>
      of.reach.declared.users === undefined
        ? of
        : reaching(of, { users: 10 * (of.reach.declared.users + 1) }),
  ],
  [
    'more dependents',
    (of) => reaching(of, { dependents: [...(of.reach.declared.dependents ?? []), 'one-more'] }),
  ],
  ['a critical service', (of) => reaching(of, { criticality: 'critical' })],
  [
    'more traffic',
    (of) => ({
      ...of,
      reach: {
        ...of.reach,
        measured: of.reach.measured && {
          ...of.reach.measured,
          requestsPerSecond: of.reach.measured.requestsPerSecond * 10,
        },
      },
    }),
  ],
  ['production', (of) => ({ ...of, reach: { ...of.reach, production: true } })],
  ['an open breaker', (of) => ({ ...of, moment: { ...of.moment, breaker: 'It is open.' } })],
  [
    'one more rollback',
    (of) => ({ ...of, moment: { ...of.moment, automaticRollbacks: of.moment.automaticRollbacks + 1 } }),
  ],
  [
    'one more rollout elsewhere',
    (of) => ({ ...of, moment: { ...of.moment, elsewhere: [...of.moment.elsewhere, 'search 2.0.0'] } }),
  ],
  [
    'a rollout here',
    (of) => ({ ...of, moment: { ...of.moment, here: 'A rollout of 1.1.0 is under way here.' } }),
  ],
]
type Changes = NonNullable<RiskFacts['back']['changes']>
const changed = (of: RiskFacts, to: (changes: Changes) => Changes): RiskFacts => ({
  ...of,
  back: { ...of.back, changes: of.back.changes && to(of.back.changes) },
})
const reaching = (of: RiskFacts, more: RiskSettings): RiskFacts => ({
  ...of,
  reach: { ...of.reach, declared: { ...of.reach.declared, ...more } },
})

const anyFacts = fc
  .record({
    to: fc.constantFrom('1.0.0', '1.0.1', '1.1.0', '2.0.0', 'abc'),
    replicas: fc.integer({ min: 1, max: 4 }),
    users: fc.option(fc.integer({ min: 0, max: 3_000_000 })),
    rate: fc.option(fc.double({ min: 0, max: 5000, noNaN: true })),
    production: fc.boolean(),
    budgetMs: fc.integer({ min: 1000, max: 900_000 }),
    trafficOffMs: fc.array(fc.integer({ min: 0, max: 900_000 }), { maxLength: 3 }),
    automaticRollbacks: fc.integer({ min: 0, max: 3 }),
  })
  .map(({ to, replicas, users, rate, production, budgetMs, trafficOffMs, automaticRollbacks }) =>
    facts({
      release: record(to, users === null ? {} : { users }, replicas),
      back: { budgetMs, trafficOffMs },
      reach: { production, measured: rate === null ? null : { requestsPerSecond: rate, version: '1.0.0' } },
      moment: { automaticRollbacks },
    }),
  )

describe('a worse factor', () => {
  it.each(WORSE)('never lowers the level: %s', (_, worsen) => {
    fc.assert(
      fc.property(anyFacts, (before) => rank(worsen(before)) >= rank(before)),
      { numRuns: 60 },
    )
  })

  it('never lowers it together with others either', () => {
    fc.assert(
      fc.property(anyFacts, fc.subarray([...WORSE]), (before, worse) => {
        const after = worse.reduce((of, [, worsen]) => worsen(of), before)
        return rank(after) >= rank(before)
      }),
    )
  })
})
