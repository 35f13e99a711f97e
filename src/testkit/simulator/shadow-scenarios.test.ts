import { describe, expect, it } from 'vitest'
import type { ShadowSettings } from '../../core/release/strategy-settings.ts'
import { serviceView } from '../../core/rollout/view/service-view.ts'
import { decidedWeights, NEW, stage, waitingOn } from './scene.ts'
import { type SettingsChange, simulatedSettings } from './settings.ts'
import type { World } from './world.ts'
import { createWorld, isOver, stepKind } from './world.ts'

const CANDIDATE = `${NEW}-r`

function shadowing(shadow: Partial<ShadowSettings> = {}, change: SettingsChange = {}): World {
  const world = createWorld({ settings: simulatedSettings({ ...change, shadow }) })
  world.withStable()
  world.deploy(NEW)
  world.passUntil((state) => stepKind(state) === 'observe')
  return world
}
const viewOf = (world: World) =>
  serviceView(world.state(), { revision: 1, now: world.now(), timeline: [], inFlight: {} }).rollout
const told = (world: World) => viewOf(world)?.shadow
const batches = (world: World) => world.eventsOf('metrics-observed').flatMap(({ batch }) => batch ?? [])

describe('a shadow', () => {
  it('gets copies for its time and no traffic, and then all of it (S40)', () => {
    const world = shadowing()
    world.pass(2000)
    expect(world.router.side().mirror).toMatchObject({
      release: CANDIDATE,
      sharePermille: 500,
      requests: [
        { method: 'GET', path: '*' },
        { method: 'HEAD', path: '*' },
      ],
    })
    world.passUntil((state) => stepKind(state) !== 'observe')
    expect(world.now() - (world.state().rollout?.steps[1]?.startedAt ?? 0)).toBeGreaterThanOrEqual(60_000)
    world.passUntil(isOver)
    expect(world.outcomes().at(-1)).toBe('promoted')
    expect(new Set(decidedWeights(world).filter((weight) => weight > 0))).toEqual(new Set([1000]))
  })

  it('is off the router before its candidate gets traffic (S43)', () => {
    const world = shadowing()
    world.passUntil(() => world.weightOf(NEW) > 0)
    expect(world.router.side().mirror).toBeNull()
  })

  it('rises in the steps of a canary afterwards, where the file says so', () => {
    const world = shadowing({ steps: [stage(100), stage(1000)] })
    world.passUntil(isOver, 200_000)
    const weights = decidedWeights(world).filter((weight) => weight > 0)
    expect([...new Set(weights)]).toEqual([100, 1000])
  })

  it('shows what came of it, and keeps it apart from what users got', () => {
    const world = shadowing({ forMs: null })
    world.router.quality(CANDIDATE, { differShare: 0.005 })
    world.pass(60_000)
    const shadow = told(world)
    expect(shadow).toMatchObject({ isOn: true, statusDiffers: 0, errors: { candidate: 0, stable: 0 } })
    expect(shadow?.pairs).toBeGreaterThan(500)
    expect(shadow?.sentence).toMatch(
      /requests were copied: of \d+ answers 0 differ in the status, \d+ in the body/,
    )
    expect(viewOf(world)?.exposure).toEqual({ requests: 0, errors: 0 })
    expect(viewOf(world)?.sentence).toContain('copies of 50% of the requests')
    world.byHand('promote')
    world.passUntil(isOver)
    expect(told(world)).toMatchObject({ isOn: false, bodyDiffers: shadow?.bodyDiffers })
    expect(viewOf(world)?.exposure.requests).toBeGreaterThan(0)
  })

  it.each([
    ['errors', { errorShare: 0.2 }, /^errors against stable/i],
    ['slow answers', { bucket: 20 }, /latency/i],
    ['answers that differ', { differShare: 0.2 }, /^differing answers: candidate \d+\.\d% differ/],
  ])('ends with a rollback that no user noticed, for %s', (_, quality, sentence) => {
    const world = shadowing({}, { analysis: { differingPercent: 1 } })
    world.router.quality(CANDIDATE, quality)
    world.passUntil(isOver)
    expect(world.outcomes().at(-1)).toBe('rolled_back')
    expect(viewOf(world)?.reason.message).toMatch(sentence)
    expect(decidedWeights(world).filter((weight) => weight > 0)).toEqual([])
    expect(viewOf(world)?.exposure).toEqual({ requests: 0, errors: 0 })
    expect(world.router.side().mirror).toBeNull()
  })

  it('only tells that answers differ where no limit is set', () => {
    const world = shadowing()
    world.router.quality(CANDIDATE, { differShare: 0.5 })
    world.passUntil((state) => stepKind(state) !== 'observe')
    expect(told(world)?.bodyDiffers).toBeGreaterThan(100)
    expect(world.state().rollout?.phase.kind).toBe('running')
  })

  it('blames no candidate for what stable does to the same requests', () => {
    const world = shadowing({}, { analysis: { differingPercent: 1 } })
    world.router.quality(CANDIDATE, { errorShare: 0.01 })
    world.router.quality('1.0.0-r', { errorShare: 0.01 })
    world.passUntil((state) => stepKind(state) !== 'observe')
    expect(world.state().rollout?.phase.kind).toBe('running')
  })

  it('waits while no request was copied, and says so', () => {
    const world = createWorld({
      settings: simulatedSettings({ shadow: { forMs: 5000 } }),
      requestsPerSecond: 0,
    })
    world.withStable()
    world.deploy(NEW)
    world.passUntil((state) => stepKind(state) === 'observe')
    world.pass(20_000)
    expect(stepKind(world.state())).toBe('observe')
    expect(waitingOn(world)).toMatchObject({ kind: 'data', message: 'no copied request was answered yet' })
  })

  it.each([
    ['an abort', (world: World) => world.byHand('abort'), 'aborted'],
    ['a newer release', (world: World) => world.deploy('1.2.0'), 'superseded'],
  ] as const)('is over with %s (S40, S43)', (_, end, outcome) => {
    const world = shadowing()
    world.pass(5000)
    end(world)
    world.passUntil(() => world.outcomes().includes(outcome))
    expect(world.router.side().mirror?.release ?? null).not.toBe(CANDIDATE)
    expect(decidedWeights(world).filter((weight) => weight > 0)).toEqual([])
  })

  it('begins its step again after the data plane had returned to stable by itself', () => {
    const world = shadowing()
    world.pass(30_000)
    world.router.revert('1.0.0-r', world.now())
    const at = world.now()
    world.passUntil((state) => stepKind(state) !== 'observe')
    expect(world.now() - at).toBeGreaterThanOrEqual(60_000)
  })

  it('stops copying to a candidate that failed and is held', () => {
    const world = shadowing({}, { rollback: { onFailure: 'hold' } })
    world.router.quality(CANDIDATE, { errorShare: 0.5 })
    world.passUntil(({ rollout }) => rollout?.phase.kind === 'running' && rollout.phase.paused !== null)
    world.pass(1000)
    expect(world.router.side().mirror).toBeNull()
  })

  it('counts each copy once, whatever begins anew', () => {
    const world = shadowing({ forMs: null })
    world.pass(10_000)
    world.restartController()
    world.pass(10_000)
    world.router.forget()
    world.pass(10_000)
    const counted = batches(world).reduce((sum, { shadow }) => sum + (shadow?.answered ?? 0), 0)
    expect(told(world)?.answered).toBe(counted)
    expect(counted).toBeGreaterThan(100)
    // Half of 200 requests a second for half a minute, and not one more.
    expect(counted).toBeLessThanOrEqual(3000)
  })

  it('holds the same requests on both sides', () => {
    const world = shadowing()
    world.passUntil(isOver)
    const shadows = batches(world).filter(({ shadow }) => shadow !== undefined)
    expect(shadows.length).toBeGreaterThan(10)
    for (const { candidate, stable } of shadows) expect(candidate.requests).toBe(stable.requests)
  })
})
