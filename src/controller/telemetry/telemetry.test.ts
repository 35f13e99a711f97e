import { describe, expect, it, vi } from 'vitest'
import type { Event } from '../../core/rollout/event.ts'
import { problem } from '../../core/shared/problem.ts'
import { failed, ok } from '../../core/shared/result.ts'
import { createTally } from '../../telemetry/tally.ts'
import { createWorld } from '../../testkit/simulator/world.ts'
import { logDecisions, logEffect } from './decision-log.ts'
import { countEvents } from './event-counts.ts'
import { queueSamples, serviceSamples } from './service-samples.ts'
import { createTelemetry } from './telemetry.ts'

const stream = 'shop.local'
const logOf = () => ({ debug: vi.fn(), info: vi.fn(), warn: vi.fn(), error: vi.fn() })

function promotedWorld() {
  const world = createWorld()
  world.withStable()
  const told = world.events().length
  world.deploy('1.1.0')
  world.passUntil(({ rollout }) => rollout?.phase.kind === 'ended')
  return { world, events: world.events().slice(told) }
}

describe('the log of decisions', () => {
  it('has a line for each event with stream, rollout and number, and nothing of the settings', () => {
    const { world, events } = promotedWorld()
    const log = logOf()
    logDecisions(log, stream, { state: world.state(), revision: 100, events })
    const lines = [...log.debug.mock.calls, ...log.info.mock.calls, ...log.warn.mock.calls].map(
      ([, fields]) => fields,
    )
    expect(lines.map(({ sequence }) => sequence).sort((a, b) => a - b)).toEqual(
      events.map((_, index) => 100 - events.length + index + 1),
    )
    for (const line of lines) expect(line).toMatchObject({ stream, rollout: world.state().rollout?.id })
    expect(lines.find(({ event }) => event === 'outcome-reached')).toMatchObject({
      outcome: 'promoted',
      code: world.state().rollout?.reason.code,
    })
    expect(JSON.stringify(lines)).not.toMatch(/"(settings|env|command|plan)"/)
  })

  it('keeps what comes with every look for those who search', () => {
    const log = logOf()
    const looks: Event[] = [{ kind: 'set-asserted', at: 1, release: 'a', epoch: 1 }]
    logDecisions(log, stream, { state: createWorld().state(), revision: 1, events: looks })
    expect([log.debug.mock.calls.length, log.info.mock.calls.length]).toEqual([1, 0])
  })

  it('warns of an effect that failed, with its code and attempt', () => {
    const log = logOf()
    const why = problem('ROUTER_UNREACHABLE', { message: 'The proxy does not answer.', remedy: 'Wait.' })
    const effect = {
      kind: 'finalize',
      router: 'builtin',
      key: 'finalize',
      token: { epoch: 2, sequence: 7, rollout: 'r-1' },
    } as const
    logEffect(log, { stream, effect, attempt: 3, tookMs: 12.4, problem: why })
    logEffect(log, { stream, effect, attempt: 4, tookMs: 12.4, problem: null })
    const fields = { stream, rollout: 'r-1', effect: 'finalize', epoch: 2, sequence: 7, tookMs: 12 }
    expect(log.warn.mock.calls).toEqual([['effect failed', { ...fields, attempt: 3, problem: why }]])
    expect(log.debug.mock.calls).toEqual([['effect done', { ...fields, attempt: 4 }]])
  })
})

describe('the counters', () => {
  it('take the duration of a rollout that ended in the same decision in which the next one began', () => {
    const { world, events } = promotedWorld()
    const { rollout } = world.state()
    const outcome = events.find(({ kind }) => kind === 'outcome-reached')
    const begun = events.find(({ kind }) => kind === 'rollout-started')
    if (rollout === null || outcome === undefined || begun === undefined) throw new Error('no rollout')
    const next = { ...world.state(), rollout: { ...rollout, startedAt: outcome.at } }
    const tally = createTally('controller')
    countEvents(tally, stream, { state: next, events: [outcome, begun], before: rollout })
    const duration = tally.samples().find(({ name }) => name === 'sluice_rollout_duration_seconds')
    expect(duration).toMatchObject({
      labels: { outcome: 'promoted' },
      value: { sum: (outcome.at - rollout.startedAt) / 1000 },
    })
  })
})

describe('the gauges of a service', () => {
  it('tell the step, what it waits for, and the shares wanted and observed', () => {
    const world = createWorld()
    world.withStable()
    world.deploy('1.1.0')
    world.passUntil(({ rollout }) => rollout?.plan.steps[rollout.stepIndex]?.step.kind === 'observe')
    const state = world.state()
    const since = state.rollout?.steps[state.rollout.stepIndex]?.startedAt ?? 0
    const samples = serviceSamples({ state, routerState: null }, since + 2500)
    const numberOf = (name: string, labels: object) =>
      samples.find(
        (one) => one.name === name && Object.entries(labels).every(([key, text]) => one.labels[key] === text),
      )?.value
    expect(numberOf('sluice_rollouts_in_progress', { stream })).toBe(1)
    expect(numberOf('sluice_rollout_step_seconds', { stream, step: 'observe' })).toBe(2.5)
    const candidate = Number(numberOf('sluice_traffic_weight_ratio', { kind: 'wanted', role: 'candidate' }))
    expect(candidate).toBeGreaterThan(0)
    expect(numberOf('sluice_traffic_weight_ratio', { kind: 'wanted', role: 'stable' })).toBeCloseTo(
      1 - candidate,
    )
    // A router that does not answer shows no weights, and no difference.
    expect(numberOf('sluice_traffic_weight_ratio', { kind: 'observed' })).toBeUndefined()
  })

  it('count a rollout as waiting from when it might have begun', () => {
    const world = createWorld()
    const queued = { ...promotedWorld().world.state(), queued: null }
    expect(queueSamples([{ state: queued, routerState: null }], 1000).map(({ value }) => value)).toEqual([
      0, 0,
    ])
    world.withStable()
    world.deploy('1.1.0')
    world.passUntil(({ rollout }) => rollout?.plan.steps[rollout.stepIndex]?.step.kind === 'watch')
    world.deploy('1.2.0')
    const waiting = world.state()
    const at = waiting.queued?.at ?? Number.NaN
    expect(
      queueSamples([{ state: waiting, routerState: null }], at + 4000).map(({ value }) => value),
    ).toEqual([1, 4])
  })
})

describe('leases', () => {
  it('that are lost take the numbers of their service along', async () => {
    const clock = { now: () => 0, monotonic: () => 0, sleep: async () => undefined }
    const telemetry = createTelemetry({ clock, log: logOf(), version: '0.1.0' })
    const { observer } = telemetry
    const asked = { store: { listMessages: async () => ok([]) }, newestBackupAt: () => null }
    const seen = { state: promotedWorld().world.state(), routerState: null }
    const text = async () => (await telemetry.scrape(asked, '')).text
    observer.leaseTaken({ stream, epoch: 1 })
    observer.looked({ stream, lateMs: 0, tookMs: 1, seen })
    expect(await text()).toContain(`sluice_rollouts_in_progress{stream="${stream}"} 0`)
    observer.leaseLost(stream)
    observer.looked({ stream, lateMs: 0, tookMs: 1, seen })
    expect(await text()).not.toContain(`sluice_rollouts_in_progress{`)
    expect(await text()).toContain('sluice_leases_lost_total 1\n')
  })
})

describe('the outbox', () => {
  it('has no numbers when the store gives none: nothing is not zero', async () => {
    const clock = { now: () => 0, monotonic: () => 0, sleep: async () => undefined }
    const gone = problem('STORE_UNREACHABLE', { message: 'The server is away.', remedy: 'Wait.' })
    const { scrape } = createTelemetry({ clock, log: logOf(), version: '0.1.0' })
    const { text } = await scrape(
      { store: { listMessages: async () => failed(gone) }, newestBackupAt: () => -60_000 },
      '',
    )
    expect(text).not.toMatch(/^sluice_outbox_waiting \d/m)
    expect(text).toContain('# TYPE sluice_outbox_waiting gauge')
    expect(text).toContain('\nsluice_backup_age_seconds 60\n')
  })
})
