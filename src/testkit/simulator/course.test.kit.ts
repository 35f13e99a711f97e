import type { Event } from '../../core/rollout/event.ts'
import { type Recorded, type Replay, replay } from '../../core/rollout/replay/replay.ts'
import { type RolloutEvidence, rolloutEvidence } from '../../core/rollout/replay/rollout-evidence.ts'
import { type Steps, trailOf } from '../../core/rollout/replay/trail.ts'
import { serviceView } from '../../core/rollout/view/service-view.ts'
import type { RolloutView } from '../../core/rollout/view/view.ts'
import { NEW } from './scene.ts'
import { type SettingsChange, simulatedSettings } from './settings.ts'
import { createWorld, isOver, type World } from './world.ts'

/** What happens to one rollout. */
export type Course = {
  errorShare: number
  requestsPerSecond: number
  dispersion: number | null
  change?: SettingsChange['analysis']
  byHand?: 'pause' | 'abort'
  restartAfterMs?: number
}

/** A rollout from its start to its end, with a controller that may die on the way. */
export function rollOut({
  errorShare,
  requestsPerSecond,
  dispersion,
  change,
  byHand,
  restartAfterMs,
}: Course): World {
  const settings = simulatedSettings({ analysis: { dispersion, ...change } })
  const world = createWorld({ settings, requestsPerSecond })
  world.withStable()
  world.router.quality(`${NEW}-r`, { errorShare })
  world.deploy(NEW)
  if (restartAfterMs !== undefined) {
    world.pass(restartAfterMs)
    world.restartController(1500)
  }
  if (byHand !== undefined) {
    world.pass(8000)
    world.byHand(byHand)
    if (byHand === 'pause') world.pass(5000)
    if (byHand === 'pause') world.byHand('resume')
  }
  for (let pauses = 0; !isOver(world.state()) && pauses < 400; pauses += 1) {
    world.pass(1000)
    const { rollout } = world.state()
    if (rollout?.phase.kind === 'running' && rollout.phase.paused !== null) world.byHand('resume')
  }
  if (!isOver(world.state())) throw new Error('the rollout did not end')
  return world
}

export const viewOf = (world: World): RolloutView => {
  const { rollout } = serviceView(world.state(), {
    revision: 1,
    now: world.now(),
    timeline: [],
    inFlight: {},
  })
  if (rollout === null) throw new Error('there is no rollout')
  return rollout
}

/** The events of the last rollout as a store keeps them: text. */
export function storedEvents(world: World): Event[] {
  const events = world.events()
  const from = events.findLastIndex(({ kind }) => kind === 'rollout-started')
  return JSON.parse(JSON.stringify(events.slice(from)))
}

/** What is kept beside its events. */
export const recordedOf = (world: World): Recorded => {
  const view = viewOf(world)
  const { rollout } = world.state()
  const [states, metrics] = [rollout?.checks ?? null, rollout?.metrics ?? null]
  return {
    rollout: view.id,
    stable: view.from,
    views: view.checks,
    states,
    metrics,
    resources: rollout?.resources ?? null,
  }
}

/** What `explain_rollout` answers. */
export const evidenceOf = (world: World): RolloutEvidence => {
  const { from, stream, sentence } = viewOf(world)
  const trail = atOnce(trailOf(from, storedEvents(world)))
  if (trail === null) throw new Error('there is no trail')
  return atOnce(rolloutEvidence(trail, { stream, sentence }))
}

/** What `replay_rollout` answers. */
export const replayOf = (events: readonly Event[], recorded: Recorded): Replay =>
  atOnce(replay(events, recorded))

function atOnce<T>(steps: Steps<T>): T {
  for (;;) {
    const { done, value } = steps.next()
    if (done === true) return value
  }
}
