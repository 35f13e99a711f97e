import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import type { ServiceSettings } from '../../core/release/settings.ts'
import type { Command } from '../../core/rollout/command.ts'
import type { ServiceState } from '../../core/rollout/state.ts'
import { announcementOf } from '../../core/rollout/view/messages.ts'
import { serviceView } from '../../core/rollout/view/service-view.ts'
import { timelineEntry } from '../../core/rollout/view/timeline.ts'
import { ActionView, ServiceView } from '../../core/rollout/view/view.ts'
import type { VerifyCheck } from '../../core/shared/verification.ts'
import { simulatedSettings } from './settings.ts'
import type { World } from './world.ts'
import { createWorld, isOver } from './world.ts'

const VERSIONS = ['1.0.0', '1.1.0', '1.2.0', '1.3.0']

type Move = { name: string; make(world: World): void }
const move = (name: string, make: Move['make']): fc.Arbitrary<Move> =>
  fc.constant({ name, make, [fc.toStringMethod]: () => name })
const release = (version: string): string => `${version}-r`

const passing = fc
  .integer({ min: 1, max: 60 })
  .chain((halves) => move(`pass ${halves / 2}s`, (world) => world.pass(halves * 500)))
const onVersion = (name: string, act: (world: World, version: string) => void): fc.Arbitrary<Move> =>
  fc.constantFrom(...VERSIONS).chain((version) => move(`${name} ${version}`, (world) => act(world, version)))
const commands = fc.oneof(
  onVersion('deploy', (world, version) => world.deploy(version)),
  onVersion('deploy in two minutes', (world, version) => world.deploy(version, { inMs: 120_000 })),
  onVersion('deploy --no-wait', (world, version) => world.deploy(version, { wait: false })),
  onVersion('deploy --now', (world, version) => world.deploy(version, { now: true })),
  onVersion('roll back to', (world, version) => world.deploy(version, { now: true, kind: 'rollback' })),
  ...(['pause', 'resume', 'abort', 'rollback', 'promote', 'promote-full', 'unadopt'] as const).map((kind) =>
    move(kind, (world) => world.byHand(kind)),
  ),
  fc
    .constantFrom(50, 250, 500, 1000)
    .chain((share) =>
      move(`jump to ${share}`, (world) =>
        world.send({ kind: 'jump', weightPermille: share, actor: { kind: 'person', name: 'ada' }, note: '' }),
      ),
    ),
  onVersion('discard', (world, version) => world.discard(version)),
  onVersion('retry', (world, version) => world.deploy(version, { order: 'retry' })),
  onVersion('deploy --full', (world, version) => world.deploy(version, { kind: 'full' })),
  onVersion('unblock', (world, version) => world.lift({ unblock: version })),
  move('close breaker', (world) => world.lift('close-breaker')),
)
const faults = fc.oneof(
  onVersion('crash all of', (world, version) => world.target.crash(release(version))),
  onVersion('crash one of', (world, version) => world.target.crash(release(version), 1)),
  onVersion('restart', (world, version) => world.target.restart(release(version))),
  onVersion('unready', (world, version) => world.target.unready(release(version))),
  onVersion('ready', (world, version) => world.target.ready(release(version))),
  onVersion('fail', (world, version) => world.target.fail(release(version))),
  onVersion('never ready', (world, version) => world.target.behave(release(version), 'never-ready')),
  onVersion('start refused', (world, version) => world.target.behave(release(version), 'refused')),
  onVersion('bad answers of', (world, version) =>
    world.router.quality(release(version), { errorShare: 0.2 }),
  ),
  onVersion('slow answers of', (world, version) => world.router.quality(release(version), { bucket: 20 })),
  onVersion('good answers of', (world, version) => world.router.quality(release(version), {})),
  onVersion('weights edited to', (world, version) => world.router.edit({ [release(version)]: 1000 })),
  onVersion('router reverted to', (world, version) => world.router.revert(release(version), world.now())),
  ...(['passes', 'fails', 'lasts'] as const).map((finding) =>
    move(`a check ${finding}`, (world) => world.setChecks(() => finding)),
  ),
  move('router forgets', (world) => world.router.forget()),
  move('router gone', (world) => world.setReachable('router', false)),
  move('router back', (world) => world.setReachable('router', true)),
  move('target gone', (world) => world.setReachable('target', false)),
  move('target back', (world) => world.setReachable('target', true)),
  move('freeze', (world) => world.setFreeze({})),
  move('freeze for a minute', (world) => world.setFreeze({ until: world.now() + 60_000 })),
  move('unfreeze', (world) => world.setFreeze(null)),
  move('freezes gone', (world) => world.setReachable('freezes', false)),
  move('freezes back', (world) => world.setReachable('freezes', true)),
  move('no data', (world) => world.setMetrics('no-data')),
  move('metrics broken', (world) => world.setMetrics('failure')),
  move('metrics back', (world) => world.setMetrics('samples')),
  move('answers lost', (world) => world.strikeAnswers(['lost', 'lost', 'lost'])),
  move('answers doubled', (world) => world.strikeAnswers(['doubled', 'doubled'])),
  move('clock forward', (world) => world.jumpClock(3_600_000)),
  move('clock back', (world) => world.jumpClock(-600_000)),
  move('controller restarted', (world) => world.restartController()),
  move('controller down', (world) => world.restartController(90_000)),
)
const walks = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: passing },
    { weight: 3, arbitrary: commands },
    { weight: 3, arbitrary: faults },
  ),
  { minLength: 5, maxLength: 40 },
)

const CHECK: VerifyCheck = {
  kind: 'command',
  name: 'smoke',
  moments: ['before', 'after'],
  timeoutMs: 10_000,
  command: ['smoke'],
  secrets: [],
}

/** All pairs of policies, by the length of the walk. */
const policiesOf = (length: number): ServiceSettings =>
  simulatedSettings({
    drift: length % 3 === 0 ? 'hold' : 'correct',
    onFreeze: length % 5 === 0 ? 'return' : 'hold',
    verify: length % 7 < 3 ? [CHECK] : [],
    ...(length % 4 === 0 ? { blueGreen: { switchAfterMs: 5000, previewReplicas: 1 } } : {}),
  })

/** Every other walk begins with a release that serves. */
function walk(moves: readonly Move[]): World {
  const world = createWorld({ settings: policiesOf(moves.length) })
  if (moves.length % 2 === 0) world.withStable()
  for (const { make } of moves) {
    make(world)
    checkPicture(world)
  }
  return world
}

function checkPicture(world: World): void {
  const state = world.state()
  const timeline = world
    .events()
    .flatMap((event, index) => timelineEntry(index + 1, event, (name) => name) ?? [])
  const view = ServiceView.parse(
    serviceView(state, { revision: 1, now: world.now(), timeline: timeline.slice(-50), inFlight: {} }),
  )
  const said = world
    .events()
    .slice(-5)
    .map((event) => announcementOf(event, state))
  expect(JSON.stringify([view, said])).not.toMatch(/undefined|NaN|Infinity|\[object/)
  checkReasons(world)
  checkActions(view.actions)
  if (view.queued !== null) expect(Wait.parse(view.queued.waitingOn)).toBeDefined()
  const { rollout } = view
  if (rollout === null) return
  checkActions(rollout.actions)
  if (rollout.waitingOn !== null) expect(Wait.parse(rollout.waitingOn)).toBeDefined()
  expect(rollout.sentence.length).toBeGreaterThan(10)
  expect(rollout.waitingOn === null).toBe(rollout.state === 'ended')
}

/** On whom, and what for. */
const Wait = z.object({ kind: z.string().min(1), who: z.string().min(1), message: z.string().min(5) })
/** A code, what happened, the values, and who did it. */
const Cause = z.object({
  code: z.string().regex(/^[A-Z][A-Z_]+$/),
  message: z.string().min(5),
  evidence: z.record(z.string(), z.unknown()),
  actor: z.object({ kind: z.string(), name: z.string().min(1) }),
})

/** Each change of the latest events says why. */
function checkReasons(world: World): void {
  for (const event of world.events().slice(-20))
    if ('reason' in event && event.reason !== undefined) expect(Cause.parse(event.reason)).toBeDefined()
}

/** Each action there is, once, and a reason for each that is not possible now. */
function checkActions(actions: readonly ActionView[]): void {
  expect(actions.map(({ name }) => name)).toEqual(ActionView.shape.name.options)
  for (const { allowed, whyNot } of actions) {
    expect(allowed).toBe(whyNot === null)
    expect(whyNot).not.toBe('')
  }
}

/** What an action that is offered must be able to do. */
function checkOffers(world: World): void {
  const { actions } = serviceView(world.state(), {
    revision: 1,
    now: world.now(),
    timeline: [],
    inFlight: {},
  })
  for (const { name, allowed } of actions) {
    // These two take a release to go to.
    if (!allowed || name === 'deploy' || (name === 'rollback' && !mayReturn(world.state()))) continue
    expect([name, world.decide(commandOf(name, world)).kind]).toEqual([name, 'ok'])
  }
}

function commandOf(name: Exclude<ActionView['name'], 'deploy'>, world: World): Command {
  const said = { actor: { kind: 'person' as const, name: 'ada' }, note: '' }
  switch (name) {
    case 'promote':
    case 'promote-full':
      return { kind: 'promote', full: name === 'promote-full', ...said }
    case 'jump':
      return { kind: 'jump', weightPermille: otherShare(world), ...said }
    default:
      return { kind: name, ...said }
  }
}

/** Of a step that the rollout is not at. */
function otherShare(world: World): number {
  const { rollout } = world.state()
  const shares = rollout?.plan.steps.map(({ step }) => (step.kind === 'traffic' ? step.weightPermille : null))
  const here = shares?.slice(0, (rollout?.stepIndex ?? 0) + 1).findLastIndex((share) => share !== null)
  return shares?.find((share, index) => share !== null && index !== here) ?? 0
}

/** There is a candidate that can be sent back to stable. */
const mayReturn = (state: ServiceState): boolean =>
  !isOver(state) && state.rollout?.plan.to.release !== state.stable?.release

function heal(world: World): void {
  world.setReachable('router', true)
  world.setReachable('target', true)
  world.setReachable('freezes', true)
  world.setFreeze(null)
  world.setMetrics('samples')
  world.healAnswers()
  world.setChecks(() => 'passes')
  world.router.refuse(null)
  for (const version of VERSIONS) {
    world.target.behave(release(version), 'ready')
    world.target.restart(release(version))
    world.target.ready(release(version))
    world.router.quality(release(version), {})
  }
}

/** Generous, because a walk is minutes of virtual time and the machine may be busy with other tests. */
const WALKS_LIMIT_MS = 120_000

describe('any walk of commands, observations and faults', { timeout: WALKS_LIMIT_MS }, () => {
  it('keeps every invariant and ends, or names what it waits for, once the faults are over (INV1, INV2, INV3, INV4, INV5, INV8)', () => {
    const property = fc.property(walks, (moves) => {
      const world = walk(moves)
      heal(world)
      world.pass(120_000)
      if (isOver(world.state())) return
      world.byHand('resume')
      world.pass(240_000)
      checkPicture(world)
      if (isOver(world.state())) return
      world.byHand('abort')
      world.pass(120_000)
      checkPicture(world)
      if (!isOver(world.state())) {
        const view = serviceView(world.state(), { revision: 1, now: world.now(), timeline: [], inFlight: {} })
        expect(view.rollout?.waitingOn?.kind).toBe('instances')
      }
    })
    fc.assert(property, { numRuns: 80, seed: 20261121 })
  })

  it('answers looks that show nothing new with no event at all (INV9)', () => {
    const property = fc.property(walks, (moves) => {
      const world = walk(moves)
      const observation = world.observation()
      // The first look may end one rollout and begin the next, whose own first look sets its counters' starting point.
      world.send({ kind: 'observed', observation })
      world.send({ kind: 'observed', observation })
      const again = world.send({ kind: 'observed', observation })
      expect(again.kind === 'ok' && again.value.map(({ kind }) => kind)).toEqual([])
    })
    fc.assert(property, { numRuns: 60, seed: 20261122 })
  })

  it('decides the same for the same walk (INV9) and only offers actions that are accepted', () => {
    const property = fc.property(walks, (moves) => {
      const world = walk(moves)
      checkOffers(world)
      expect(walk(moves).events()).toEqual(world.events())
    })
    fc.assert(property, { numRuns: 40, seed: 20261123 })
  })
})
