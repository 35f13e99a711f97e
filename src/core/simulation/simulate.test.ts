import { describe, expect, it } from 'vitest'
import { releaseRecord, simulatedSettings } from '../../testkit/simulator/settings.ts'
import { composePlan, type PlanInput } from '../plan/compose.ts'
import type { Plan } from '../plan/plan.ts'
import type { ServiceSettings } from '../release/settings.ts'
import type { Result } from '../shared/result.ts'
import type { Script } from './script.ts'
import { simulate } from './simulate.ts'
import type { Simulation } from './simulation.ts'

const GOOD: Script = { seed: 1, people: [], parts: [] }
const part = (of: Partial<Script['parts'][number]>): Script['parts'][number] => ({
  fromMs: 0,
  toMs: null,
  stable: {},
  candidate: {},
  ...of,
})
const scripted = (...parts: Partial<Script['parts'][number]>[]): Script => ({
  ...GOOD,
  parts: parts.map(part),
})
const BAD = scripted({ requestsPerSecond: 200, candidate: { errorRatePercent: 20 } })

function planFor(
  settings: ServiceSettings,
  kind: PlanInput['kind'] = 'deploy',
  stable: string | null = '1.0.0',
): Plan {
  const content = composePlan({
    release: releaseRecord('1.1.0', settings),
    stable: stable === null ? null : releaseRecord(stable, settings),
    ...{ candidate: null, kind, back: null, actor: 'ada', now: 1_700_000_000_000, warnings: [] },
    history: { provisionMs: null, drainMs: null, trafficOffMs: [] },
  })
  return { ...content, id: 'plan-1', hash: 'h' }
}

type Asked = { settings?: ServiceSettings; plan?: Plan; script?: Script; limitMs?: number }

function attempt({
  settings = simulatedSettings(),
  plan,
  script = GOOD,
  limitMs = 3_600_000,
}: Asked): Result<Simulation> {
  const steps = simulate({ plan: plan ?? planFor(settings), settings, script, limitMs })
  for (;;) {
    const { done, value } = steps.next()
    if (done === true) return value
  }
}
function run(asked: Asked = {}): Simulation {
  const simulated = attempt(asked)
  if (simulated.kind === 'failed') throw new Error(simulated.problem.message)
  return simulated.value
}
const texts = ({ timeline }: Simulation): string[] => timeline.map(({ text }) => text)

describe('a plan in virtual time', () => {
  it('ends promoted with a good script, in the time that was planned', () => {
    const simulation = run({ script: scripted({ requestsPerSecond: 200 }) })
    expect(simulation).toMatchObject({ outcome: 'promoted', lost: 0, peakInstances: 4, waitingOn: null })
    expect(simulation.sentence).toMatch(/^shop 1\.1\.0 in local: promoted\./)
    expect(simulation.tookMs).toBeGreaterThan(60_000)
    expect(simulation.tookMs).toBeLessThan(80_000)
    expect(texts(simulation).join('\n')).toMatch(/5%[\s\S]*25%[\s\S]*50%[\s\S]*100%[\s\S]*is stable/)
  })

  it('ends rolled back with a bad one, in the words that explain has', () => {
    const simulation = run({ script: BAD })
    expect(simulation.outcome).toBe('rolled_back')
    expect(simulation.evidence?.sentence).toBe(simulation.sentence)
    expect(simulation.evidence?.checks[0]).toMatchObject({ verdict: 'worse' })
    const [worse] = simulation.evidence?.checks ?? []
    expect(simulation.sentence.toLowerCase()).toContain(
      (worse?.sentence ?? 'nothing').slice(0, 30).toLowerCase(),
    )
    expect(simulation.trafficOffMs).toBeLessThan(1000)
    expect(simulation.candidate.errors).toBeGreaterThan(0)
  })

  it('finds a slow release by its latency', () => {
    const simulation = run({ script: scripted({ requestsPerSecond: 300, candidate: { p50Ms: 800 } }) })
    expect(simulation.outcome).toBe('rolled_back')
    expect(simulation.sentence).toMatch(/Latency against stable/)
  })

  it('has the same course for the same seed, and another one for another', () => {
    expect(run({ script: BAD })).toEqual(run({ script: BAD }))
    expect(run({ script: { ...BAD, seed: 2 } }).candidate).not.toEqual(run({ script: BAD }).candidate)
  })

  it('follows what changes on the way', () => {
    const late = scripted({ requestsPerSecond: 200 }, { fromMs: 25_000, candidate: { errorRatePercent: 30 } })
    const simulation = run({ script: late })
    expect(simulation.outcome).toBe('rolled_back')
    expect(simulation.tookMs).toBeGreaterThan(25_000)
  })

  it('lets instances crash and come back', () => {
    const crashes = scripted({ fromMs: 14_000, candidate: { crashes: 1 } })
    const simulation = run({ script: crashes, settings: simulatedSettings({ replicas: 20 }) })
    expect(simulation.outcome).toBe('promoted')
    const all = scripted(...[14_000, 16_000, 18_000].map((fromMs) => ({ fromMs, candidate: { crashes: 2 } })))
    expect(run({ script: all }).outcome).toBe('rolled_back')
  })

  it('goes back before any traffic when instances never become ready, or a check fails', () => {
    const never = run({ script: scripted({ candidate: { startMs: null } }) })
    expect(never).toMatchObject({ outcome: 'rolled_back', candidate: { requests: 0 } })
    expect(never.sentence).toContain('ready')
    const settings = simulatedSettings({
      verify: [
        {
          kind: 'command',
          name: 'smoke',
          moments: ['before'],
          timeoutMs: 1000,
          command: ['true'],
          secrets: [],
        },
      ],
    })
    const checked = run({ settings, script: scripted({ verify: 'fails' }) })
    expect(checked.outcome).toBe('rolled_back')
    expect(checked.sentence).toContain('smoke: failed, as the script says')
    expect(run({ settings }).outcome).toBe('promoted')
  })

  it('waits for a person who does not come, and goes on with one who does', () => {
    const settings = simulatedSettings({
      strategy: {
        steps: [
          { weightPermille: 100, pauseMs: null, criteria: {} },
          { weightPermille: 1000, pauseMs: 0, criteria: {} },
        ],
      },
    })
    const alone = run({ settings, limitMs: 120_000 })
    expect(alone).toMatchObject({ outcome: null, waitingOn: { kind: 'person' } })
    expect(alone.tookMs).toBeGreaterThanOrEqual(120_000)
    const people: Script['people'] = [{ atMs: 60_000, act: 'promote' }]
    expect(run({ settings, script: { ...GOOD, people } }).outcome).toBe('promoted')
    expect(run({ settings, script: { ...GOOD, people: [{ atMs: 5000, act: 'abort' }] } }).outcome).toBe(
      'aborted',
    )
  })

  it('turns requests away for as long as nobody is served, on the way there and back', () => {
    const settings = simulatedSettings({ recreate: {} })
    const good = run({ settings, script: scripted({ requestsPerSecond: 50 }) })
    expect([good.outcome, good.strategy, good.lost > 50]).toEqual(['promoted', 'recreate', true])
    const bad = run({ settings, script: BAD })
    expect([bad.outcome, bad.lost > good.lost]).toEqual(['rolled_back', true])
    expect(texts(bad).filter((text) => text.startsWith('closed: '))).toHaveLength(2)
  })

  it('carries out each kind of plan', () => {
    const settings = simulatedSettings()
    expect(run({ plan: planFor(settings, 'deploy', null) })).toMatchObject({
      outcome: 'promoted',
      from: null,
      evidence: null,
    })
    expect(run({ plan: planFor(settings, 'full') }).outcome).toBe('promoted')
    expect(run({ plan: planFor(settings, 'rollback') }).outcome).toBe('promoted')
    expect(run({ settings: simulatedSettings({ blueGreen: {} }) })).toMatchObject({
      outcome: 'promoted',
      strategy: 'blue-green',
    })
    const failing = run({
      plan: planFor(settings, 'deploy', null),
      script: scripted({ candidate: { startMs: null } }),
    })
    expect(failing.outcome).toBe('failed')
  })

  it('is tried at one router where several serve, and says so', () => {
    const also = [{ router: 'haproxy' as const, listen: { host: '127.0.0.1', port: 8090 } }]
    const simulation = run({ settings: { ...simulatedSettings(), also } })
    expect([simulation.outcome, simulation.left]).toEqual([
      'promoted',
      ['All users come by the first router, and the others serve nobody.'],
    ])
  })

  it('says what it leaves out, and refuses what cannot be begun', () => {
    const windows: ServiceSettings['windows'] = [{ days: ['mon'], fromMinute: 0, toMinute: 60, zone: 'UTC' }]
    expect(run({ settings: simulatedSettings({ windows }) }).left).toEqual([
      'It begins at once, whatever the windows say.',
    ])
    const hasty = simulatedSettings({ deadlineMs: 1000 })
    expect(attempt({ settings: hasty })).toMatchObject({
      kind: 'failed',
      problem: { code: 'SIMULATION_NOT_BEGUN' },
    })
  })

  it('copies requests to a shadow before it gets any, and takes a bad one back that nobody met', () => {
    const settings = simulatedSettings({ shadow: {}, analysis: { differingPercent: 1 } })
    const good = run({ settings, script: scripted({ requestsPerSecond: 200 }) })
    expect(good.outcome).toBe('promoted')
    expect(texts(good).some((text) => text.includes('copied requests answered'))).toBe(true)
    const bad = run({ settings, script: BAD })
    expect(bad.outcome).toBe('rolled_back')
    expect(texts(bad).some((text) => /1\.1\.0 gets/.test(text))).toBe(false)
  })
})
