import { describe, expect, it } from 'vitest'
import type { Event } from '../../core/rollout/event.ts'
import { ALERTMANAGER } from '../../core/rollout/judging/alerts.ts'
import { metricQuestions } from '../../core/rollout/metrics/metric-due.ts'
import type { Alert } from '../../core/shared/alert.ts'
import { type Course, recordedOf, replayOf, rollOut, storedEvents } from './course.test.kit.ts'
import {
  candidateSays,
  counts,
  declared,
  nothing,
  trouble,
  value,
  worldWith,
} from './metric-world.test.kit.ts'
import { NEW, withCandidateAt } from './scene.ts'
import { simulatedSettings } from './settings.ts'
import { type AnswerMetric, createWorld, isOver, type World } from './world.ts'

const bad: Course = { errorShare: 0.04, requestsPerSecond: 200, dispersion: null }
const replayed = (world: World, events: readonly Event[] = storedEvents(world)) =>
  replayOf(events, recordedOf(world))
/** The events with those of a kind changed. */
const changed = <K extends Event['kind']>(
  world: World,
  kind: K,
  change: (event: Extract<Event, { kind: K }>) => Event,
): Event[] =>
  storedEvents(world).map((event) =>
    event.kind === kind ? change(event as Extract<Event, { kind: K }>) : event,
  )
const ended = (world: World): World => {
  world.passUntil(isOver)
  return world
}
const isMetric = (answers: AnswerMetric, change: Parameters<typeof declared>[0] = {}): World =>
  ended(worldWith(declared(change), answers))

describe('a replay makes a decision again', () => {
  it.each([
    ['a metric that was found worse', () => isMetric(candidateSays(counts(60, 1000)))],
    [
      'a value beyond its limit',
      () =>
        isMetric((_, version) => value(version === NEW ? 1 : 100), {
          measure: { kind: 'value', direction: 'less-is-worse', warningPercent: 10, criticalPercent: 50 },
        }),
    ],
    [
      'a metric without data',
      () => isMetric(candidateSays(nothing), { noData: { afterMs: 4000, policy: 'rollback' } }),
    ],
    [
      'a provider that broke',
      () =>
        isMetric(candidateSays(trouble()), { trouble: { failures: 3, retryMs: 500, policy: 'rollback' } }),
    ],
    ['an alert', () => ended(alarmed(withCandidateAt(50)))],
    [
      'a crash loop',
      () => {
        const world = withCandidateAt(50)
        for (let crash = 0; crash < 5 && !isOver(world.state()); crash += 1) {
          world.target.crash(`${NEW}-r`)
          world.pass(500)
          world.target.restart(`${NEW}-r`)
          world.pass(500)
        }
        return ended(world)
      },
    ],
    [
      'a failure that is held',
      () => {
        const settings = simulatedSettings({ rollback: { onFailure: 'hold' } })
        const world = withCandidateAt(50, createWorld({ settings }))
        alarmed(world)
        world.pass(3000)
        world.byHand('abort')
        return ended(world)
      },
    ],
  ])('that followed from %s', (_, course) => {
    const world = course()
    expect(world.eventsOf('return-started')).toHaveLength(1)
    const replay = replayed(world)
    expect(replay).toMatchObject({ differences: [], isEqual: true, standing: 'equal' })
    expect(replay.decisions).toBeGreaterThan(0)
    const isByHand = world.eventsOf('return-started')[0]?.reason.actor.kind === 'person'
    expect(replay.notRecomputed.map(({ what }) => what)).toEqual(isByHand ? ['ABORTED'] : [])
  })

  it('and finds a window that was changed, and the verdict that does not follow any more', () => {
    const world = isMetric(candidateSays(counts(60, 1000)))
    const fewer = changed(world, 'metric-sampled', (event) => ({
      ...event,
      sample: { ...event.sample, candidate: counts(2, 1000) },
    }))
    const { differences, standing, windows } = replayed(world, fewer)
    expect(windows).toBe(1)
    expect(standing).toBe('differs')
    expect(differences[0]).toMatchObject({
      kind: 'decision',
      what: 'CHECK_CRITICAL payment-failures',
      recomputed: 'no check is broken at this moment',
    })
    expect(differences.some(({ what }) => what.startsWith('payment-failures'))).toBe(true)
  })

  it('and finds a decision that names another cause, and an alert that was weighed in another way', () => {
    const world = ended(alarmed(withCandidateAt(50)))
    const other = changed(world, 'return-started', (event) => ({
      ...event,
      reason: { ...event.reason, evidence: { ...event.reason.evidence, fingerprint: 'another' } },
    }))
    expect(replayed(world, other).differences).toMatchObject([{ kind: 'decision', what: 'ALERT_CRITICAL' }])
    const told = changed(world, 'alert-heard', (event) => ({
      ...event,
      alert: { ...event.alert, action: 'report', why: '' },
    }))
    expect(replayed(world, told).differences[0]).toMatchObject({ what: 'alert HighErrorRate' })
  })
})

describe('what a replay cannot make again', () => {
  it('is a command of a person: it is counted and said, and nothing differs', () => {
    const world = rollOut({ ...bad, errorShare: 0, byHand: 'abort' })
    expect(replayed(world)).toMatchObject({
      isEqual: true,
      notRecomputed: [{ what: 'ABORTED', why: 'ada asked for it' }],
    })
  })

  it('is a deadline that ran out, and a release that was replaced', () => {
    const never = createWorld()
    never.withStable()
    never.target.behave(`${NEW}-r`, 'never-ready')
    never.deploy(NEW)
    const [first] = replayed(ended(never)).notRecomputed
    expect(first).toMatchObject({ what: 'NEVER_READY', why: 'it was no verdict of the checks' })
  })
})

describe('a rollout that was judged by another method', () => {
  const earlier = (world: World): Event[] =>
    storedEvents(world).map((event) => {
      if (event.kind !== 'rollout-started') return event
      const { method: _method, ...before } = event
      return before
    })

  it('is not called different where it comes out differently, and is equal where it does not', () => {
    const world = rollOut(bad)
    expect(replayed(world, earlier(world))).toMatchObject({ standing: 'equal', method: { recorded: [1] } })
    const { views, ...recorded } = recordedOf(world)
    const otherwise = views.map((view) =>
      view.evidence === undefined ? view : { ...view, evidence: { ...view.evidence, logE: 1 } },
    )
    const replay = replayOf(earlier(world), { ...recorded, views: otherwise })
    expect(replay).toMatchObject({ isEqual: false, standing: 'other-method' })
    expect(replayOf(storedEvents(world), { ...recorded, views: otherwise }).standing).toBe('differs')
  })

  it('differs all the same where a batch does not follow from its counters', () => {
    const world = rollOut(bad)
    const damaged = earlier(world).map((event) =>
      event.kind === 'metrics-observed' && event.batch !== null
        ? { ...event, batch: { ...event.batch, unroutable: 1 } }
        : event,
    )
    expect(replayed(world, damaged).standing).toBe('differs')
  })
})

it('a provider that failed is asked again soon, also when the clock was set back meanwhile', () => {
  const world = worldWith(declared(), candidateSays(trouble()))
  world.passUntil(({ rollout }) => rollout?.metrics[0]?.failures != null)
  const { failures } = world.state().rollout?.metrics[0] ?? {}
  const failedAt = failures?.failedAt ?? 0
  const due = (now: number) => metricQuestions(world.state(), now)[0]?.window ?? null
  expect(due(failedAt + 100)).toBeNull()
  expect(due(failedAt + 501)).not.toBeNull()
  const before = world.eventsOf('metric-sampled').length
  world.jumpClock(-1_800_000)
  world.pass(10_000)
  expect(world.eventsOf('metric-sampled').length).toBeGreaterThan(before)
})

function alarmed(world: World): World {
  const alert: Alert = {
    fingerprint: 'f1',
    name: 'HighErrorRate',
    status: 'firing',
    labels: { service: 'shop', severity: 'critical' },
    summary: 'the shop fails',
    link: null,
    startsAt: world.now(),
  }
  world.send({ kind: 'hear-alerts', alerts: [alert], actor: ALERTMANAGER })
  return world
}
