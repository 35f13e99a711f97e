import * as z from 'zod'
import { assessPlan } from '../../src/core/plan/assess-plan.ts'
import type { Plan } from '../../src/core/plan/plan.ts'
import { withoutRequests } from '../../src/core/release/worker.ts'
import { serviceView } from '../../src/core/rollout/view/service-view.ts'
import { timelineEntry } from '../../src/core/rollout/view/timeline.ts'
import { ServiceView } from '../../src/core/rollout/view/view.ts'
import { NEW } from '../../src/testkit/simulator/scene.ts'
import {
  releaseRecord,
  type SettingsChange,
  simulatedSettings,
} from '../../src/testkit/simulator/settings.ts'
import { createWorld, stepKind, type World } from '../../src/testkit/simulator/world.ts'
import type { Content } from './page-server.ts'

/** One service for each strategy that shows something of its own, each in the middle of a simulated rollout. */
export function strategyContent(now: number): Content {
  const all = [
    shown('pay', abWorld({}), now),
    shown(
      'search',
      abWorld({ by: { kind: 'header', name: 'x-user-id' } }, { control: 3, green: 2, blue: 0 }),
      now,
    ),
    shown('cart', batchWorld(), now),
    shown('mails', workerWorld(), now),
    shown('web', gateWorld(), now),
  ]
  return { views: all.map(({ view }) => view), plans: all.map(({ plan }) => plan) }
}

type Goals = { control: number; green: number; blue: number }

function abWorld(ab: SettingsChange['ab'], goals: Goals = { control: 400, green: 340, blue: 120 }): World {
  const world = started({ ab: { ...ab, forMs: 14 * 86_400_000 } })
  world.passUntil((state) => stepKind(state) === 'observe')
  const arms = [
    { variant: null, goals: goals.control, users: 5120 },
    { variant: 'green', goals: goals.green, users: 2533 },
    { variant: 'blue', goals: goals.blue, users: 2561 },
  ]
  const salt = world.state().rollout?.id ?? ''
  world.router.countVariants(arms.map((arm) => ({ salt, ...arm })))
  world.pass(61_000)
  return world
}

function batchWorld(): World {
  const world = started({ rolling: {}, replicas: 6 })
  world.passUntil((state) => stepKind(state) === 'observe' && world.weightOf(NEW) >= 333)
  return world
}

function workerWorld(): World {
  const settings = simulatedSettings({ replicas: 8 })
  const world = createWorld({
    settings: { ...settings, listen: null, analysis: withoutRequests(settings.analysis) },
    requestsPerSecond: 0,
  })
  world.withStable()
  world.deploy(NEW)
  world.passUntil((state) => stepKind(state) === 'observe' && state.rollout?.stepIndex === 7)
  return world
}

/** Ready, verified, and waiting for the switch: shown to testers only. */
function gateWorld(): World {
  const world = started({
    blueGreen: {
      switchAfterMs: null,
      preview: { host: '127.0.0.1', port: 8090 },
      routes: [
        { kind: 'exact', in: 'header', name: 'x-tester', value: '1' },
        { kind: 'pattern', in: 'cookie', name: 'group', pattern: 'qa-*' },
      ],
    },
  })
  world.passUntil((state) => stepKind(state) === 'gate')
  world.pass(3000)
  return world
}

function started(change: SettingsChange): World {
  const world = createWorld({ settings: simulatedSettings(change) })
  world.withStable()
  world.deploy(NEW)
  return world
}

/** As the controller would show it, under a name of its own and at the time of now. */
function shown(name: string, world: World, now: number): { view: ServiceView; plan: Plan } {
  const state = world.state()
  const { rollout } = state
  if (rollout === null) throw new Error(`${name} has no rollout`)
  const content = assessPlan(rollout.plan, {
    release: releaseRecord(NEW, rollout.settings),
    stable: releaseRecord('1.0.0', rollout.settings),
    trafficOffMs: [],
    measured: null,
    moment: { held: null, breaker: null, blocked: null, automaticRollbacks: 0, here: null, elsewhere: [] },
  })
  const plan: Plan = { ...content, service: name, id: `plan-${name}`, hash: 'f00d' }
  const timeline = world
    .events()
    .flatMap((event, index) => timelineEntry(index + 1, event, (release) => release.replace('-r', '')) ?? [])
  const view = serviceView(
    { ...state, rollout: { ...rollout, plan } },
    { revision: 1, now: world.now(), timeline: timeline.slice(-12), inFlight: {} },
  )
  const stream = `${name}.local`
  const named = { ...view, stream, service: name, rollout: view.rollout && { ...view.rollout, stream } }
  return { view: ServiceView.parse(moved(named, now - world.now())), plan }
}

const START_OF_TIME_MS = 1_600_000_000_000
const Fields = z.record(z.string(), z.unknown())

/** Times of the simulated world become times of now. */
function moved(value: unknown, byMs: number): unknown {
  if (typeof value === 'number') return value > START_OF_TIME_MS ? value + byMs : value
  if (Array.isArray(value)) return value.map((one) => moved(one, byMs))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(Fields.parse(value)).map(([key, one]) => [key, moved(one, byMs)]))
}
