import { composePlan } from '../plan/compose.ts'
import type { Plan } from '../plan/plan.ts'
import type { Release } from '../release/release.ts'
import type { ServiceSettings } from '../release/settings.ts'
import type { Event } from '../rollout/event.ts'
import type { Actor } from '../rollout/reason.ts'
import { rolloutEvidence } from '../rollout/replay/rollout-evidence.ts'
import { type Steps, trailOf } from '../rollout/replay/trail.ts'
import type { QueuedRollout } from '../rollout/state.ts'
import { serviceView } from '../rollout/view/service-view.ts'
import { timelineEntry } from '../rollout/view/timeline.ts'
import type { ReleaseRef, RolloutView } from '../rollout/view/view.ts'
import type { Problem } from '../shared/problem.ts'
import { problem } from '../shared/problem.ts'
import { failed, ok, type Result } from '../shared/result.ts'
import { hourBefore } from './hour-before.ts'
import { SCRIPT_DEFAULTS, type Script, type ScriptedAct } from './script.ts'
import type { Simulation } from './simulation.ts'
import { VirtualWorld } from './virtual-world.ts'

export type SimulateInput = {
  plan: Plan
  /** What the file says: the rollout would be judged by it. */
  settings: ServiceSettings
  script: Script
  /** Virtual time after which it is given up. */
  limitMs: number
}

const PERSON: Actor = { kind: 'person', name: 'the script' }
/** To bring up what is stable today: far more than it takes. */
const BRING_UP_MS = 300_000
const ROLLOUT = 'simulated'

/**
 * Carries a plan out in virtual time, by the decisions that the controller would make, until its outcome or the limit. The
 * same input gives the same course. A long plan takes seconds, so each look is a step.
 */
export function* simulate({
  plan,
  settings: given,
  script,
  limitMs,
}: SimulateInput): Steps<Result<Simulation>> {
  const { settings, left } = simulatedSettings(given)
  const { stream, to } = plan
  const beginsAt = plan.createdAt
  const world = new VirtualWorld({
    ...{ stream, candidate: to.release, settings, script, beginsAt },
    startsAt: beginsAt - BRING_UP_MS,
  })
  for (const before of runningBefore(plan)) bringUp(world, { plan, settings, before })
  if ((world.state().stable?.release ?? null) !== plan.base.stable) return failed(notBroughtUp(plan))
  while (world.now() < beginsAt) world.step(beginsAt)
  const lostBefore = world.lost()
  const first = world.events().length
  const baseline = plan.from === null ? null : hourBefore(script, plan.from, beginsAt)
  const refusal = world.order(deployOf(plan, { settings, baseline, id: ROLLOUT }))
  if (refusal !== null) return failed(refusal)
  let peakInstances = world.running()
  const acts = [...script.people].sort((a, b) => a.atMs - b.atMs)
  while (!isOver(world) && world.now() - beginsAt < limitMs) {
    world.step()
    peakInstances = Math.max(peakInstances, world.running())
    for (let next = acts[0]; next !== undefined && world.now() - beginsAt >= next.atMs; next = acts[0]) {
      acts.shift()
      perform(world, next)
    }
    yield
  }
  const events = world.events().slice(first)
  const view = viewOf(world)
  const trail = yield* trailOf(plan.from, events)
  const evidence = trail === null ? null : yield* rolloutEvidence(trail, view)
  return ok({
    ...{ service: plan.service, environment: plan.environment, strategy: plan.strategy, seed: script.seed },
    ...{ from: plan.from?.version ?? null, to: to.version },
    outcome: view.outcome,
    sentence: view.sentence,
    tookMs: (view.endedAt ?? world.now()) - beginsAt,
    waitingOn: view.waitingOn,
    trafficOffMs: view.trafficOffMs,
    timeline: timelineOf(events, { plan, beginsAt }),
    candidate: view.exposure,
    lost: world.lost() - lostBefore,
    peakInstances,
    evidence: plan.kind === 'deploy' && evidence !== null && evidence.batches > 0 ? evidence : null,
    left,
  })
}

/** What a script cannot say is left out, and said so. */
function simulatedSettings(given: ServiceSettings): { settings: ServiceSettings; left: string[] } {
  const names = given.analysis.metrics.map(({ name }) => name)
  const metrics =
    names.length === 0 ? [] : [`The metrics that the file declares are not asked: ${names.join(', ')}.`]
  const windows = given.windows.length === 0 ? [] : ['It begins at once, whatever the windows say.']
  const { also = [], ...alone } = given
  const routers =
    also.length === 0 ? [] : ['All users come by the first router, and the others serve nobody.']
  const settings = { ...alone, windows: [], prober: null, analysis: { ...alone.analysis, metrics: [] } }
  return { settings, left: [...metrics, ...windows, ...routers] }
}

/** What must be stable before the plan begins, oldest first. */
function runningBefore({ kind, from, to }: Plan): ReleaseRef[] {
  if (from === null) return []
  return kind === 'rollback' ? [to, from] : [from]
}

type BringUp = { plan: Plan; settings: ServiceSettings; before: ReleaseRef }

function bringUp(world: VirtualWorld, { plan, settings, before }: BringUp): void {
  const { stable } = world.state()
  const replicas = plan.steps[0]?.instances.stable || settings.run.replicas
  const own: ServiceSettings = {
    ...settings,
    run: { ...settings.run, replicas },
    strategy: { ...settings.strategy, watchMs: 0, lightWatch: null },
    verify: [],
  }
  const recordOf = ({ release, version }: ReleaseRef): Release => ({
    ...{ id: release, stream: plan.stream, version, settings: own, secretVersions: {}, adopted: false },
    artifact: { digest: `simulated:${release}`, folder: '', bytes: 0, files: 0 },
    ...{ createdAt: 0, createdBy: PERSON.name },
  })
  const content = composePlan({
    release: recordOf(before),
    stable: stable === null ? null : recordOf(stable),
    ...{ candidate: null, kind: 'full', back: null, actor: PERSON.name, now: world.now(), warnings: [] },
    history: { provisionMs: null, drainMs: null, trafficOffMs: [] },
  })
  const id = `before-${before.release}`
  world.order(deployOf({ ...content, id, hash: id }, { settings: own, baseline: null, id }))
  while (!isOver(world) && world.now() < plan.createdAt) world.step(plan.createdAt)
}

function deployOf(plan: Plan, { id, ...given }: Pick<QueuedRollout, 'id' | 'settings' | 'baseline'>) {
  const rollout: QueuedRollout = {
    ...{ id, order: plan.kind === 'rollback' ? 'rollback' : 'deploy', plan, actor: PERSON, note: '' },
    ...{ at: plan.createdAt, adoption: null, notBefore: null, ...given },
  }
  return { kind: 'deploy' as const, rollout, now: true, wait: true }
}

const isOver = (world: VirtualWorld): boolean => {
  const { rollout } = world.state()
  return rollout === null || rollout.phase.kind === 'ended'
}

/** What cannot be done at that moment is not done; the timeline shows that nothing followed. */
function perform(world: VirtualWorld, { act }: ScriptedAct): void {
  const said = { actor: PERSON, note: '' }
  world.order(act === 'promote' ? { kind: 'promote', full: false, ...said } : { kind: act, ...said })
}

function viewOf(world: VirtualWorld): RolloutView {
  const { rollout } = serviceView(world.state(), {
    revision: 0,
    now: world.now(),
    timeline: [],
    inFlight: {},
  })
  if (rollout === null) throw new Error('a plan that was begun has a rollout')
  return rollout
}

function timelineOf(
  events: readonly Event[],
  { plan: { from, to }, beginsAt }: { plan: Plan; beginsAt: number },
): Simulation['timeline'] {
  const nameOf = (release: string): string =>
    [to, from].find((one) => one?.release === release)?.version ?? release
  return events.flatMap((event, index) => {
    const entry = timelineEntry(index, event, nameOf)
    if (entry === null) return []
    return [{ atMs: event.at - beginsAt, text: entry.text, level: entry.level, actor: entry.actor }]
  })
}

const notBroughtUp = (plan: Plan): Problem =>
  problem('SIMULATION_NOT_BEGUN', {
    message: `${plan.from?.version ?? 'What is stable'} did not become stable before the plan begins.`,
    cause: `Its instances need ${SCRIPT_DEFAULTS.side.startMs}ms, and the health deadline is shorter.`,
    remedy: 'Use a health deadline that is longer than that.',
  })
