import * as z from 'zod'
import { Plan } from '../../src/core/plan/plan.ts'
import { RolloutEvidence } from '../../src/core/rollout/replay/rollout-evidence.ts'
import {
  RolloutSeries,
  RolloutSummary,
  RolloutView,
  ServiceView,
  TimelineEntry,
} from '../../src/core/rollout/view/view.ts'
import { problem } from '../../src/core/shared/problem.ts'
import { failed, ok } from '../../src/core/shared/result.ts'
import type { Operation } from '../../src/operations/operation.ts'
import { type ApiServer, createServer } from '../../src/server/server.ts'
import { evidence, history, idleView, rolledBack, rolledBackView, runningView, series } from './page-views.ts'

/** The real server over a world in memory: views change when a test says so, and calls are written down. */
export type World = {
  token: string
  calls: { name: string; input: unknown; actor: string; face: string }[]
  view(stream: string): ServiceView
  change(stream: string, change: (view: ServiceView) => ServiceView): ServiceView
  server: ApiServer
}

const Name = { service: z.string().exactOptional(), environment: z.string().exactOptional() }
const Steering = z.object({ ...Name, reason: z.string().exactOptional(), full: z.boolean().exactOptional() })

/** What the world has; by default one running rollout, one that was rolled back, and a service without one. */
export type Content = { views: readonly ServiceView[]; plans: readonly Plan[] }

const usual = (now: number): Content => ({
  views: [runningView(now), rolledBackView(now), idleView(now)],
  plans: [],
})

export function createWorld(pageFolder: string, content = usual(Date.now())): World {
  const views = new Map(content.views.map((view) => [view.stream, view]))
  const listeners = new Set<(view: ServiceView) => void>()
  const view = (stream: string) => {
    const found = views.get(stream)
    if (found === undefined) throw new Error(`no view ${stream}`)
    return found
  }
  const world: Omit<World, 'server'> = {
    token: 'page-test-token-0123456789-0123456789',
    calls: [],
    view,
    change(stream, change) {
      const next = change({ ...view(stream), revision: view(stream).revision + 1, asOf: Date.now() })
      views.set(stream, next)
      for (const listener of listeners) listener(next)
      return next
    },
  }
  const server = createServer({
    operations: operations(views, content.plans),
    context: world,
    subscribe: (_stream, listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    views: async (stream) => [...views.values()].filter((one) => stream === null || one.stream === stream),
    token: world.token,
    pageFolder,
    version: '0.1.0',
    readiness: () => ({}),
    scrape: async () => ok({ contentType: 'text/plain', text: '' }),
    hearAlerts: async () => ok({ taken: 0, known: 0, ignored: [] }),
    log: { debug() {}, info() {}, warn() {}, error: (message, fields) => console.error(message, fields) },
    owner: 'ada',
  })
  return { ...world, server }
}

type Context = Omit<World, 'server'>

const operation = <Input extends z.ZodType, Output extends z.ZodType>(
  definition: Operation<Context, Input, Output>,
) => definition

const operations = (views: Map<string, ServiceView>, plans: readonly Plan[]): Operation<Context>[] => [
  operation({
    name: 'list_services',
    summary: 'All services.',
    input: z.object({}),
    output: z.object({ services: z.array(ServiceView) }),
    permission: 'read',
    run: async () => ok({ services: [...views.values()] }),
  }),
  operation({
    name: 'list_rollouts',
    summary: 'The rollouts of a service.',
    input: z.object({ ...Name, limit: z.int().exactOptional() }),
    output: z.object({ rollouts: z.array(RolloutSummary) }),
    permission: 'read',
    run: async () => ok({ rollouts: history(Date.now()) }),
  }),
  operation({
    name: 'get_rollout',
    summary: 'One rollout.',
    input: z.object({ id: z.string() }),
    output: z.object({ rollout: RolloutView, timeline: z.array(TimelineEntry) }),
    permission: 'read',
    run: async (_context, { id }) =>
      id === 'rollout-5c1x0d'
        ? ok({ rollout: rolledBack(Date.now()), timeline: runningView(Date.now()).timeline })
        : failed(
            problem('ROLLOUT_NOT_FOUND', {
              message: `There is no rollout "${id}".`,
              remedy: 'See the history.',
            }),
          ),
  }),
  operation({
    name: 'get_plan',
    summary: 'A plan.',
    input: z.object({ id: z.string() }),
    output: Plan,
    permission: 'read',
    run: async (_context, { id }) => {
      const plan = plans.find((one) => one.id === id)
      const remedy = 'It was removed with the history.'
      return plan === undefined
        ? failed(problem('PLAN_NOT_FOUND', { message: `There is no plan "${id}".`, remedy }))
        : ok(plan)
    },
  }),
  operation({
    name: 'get_series',
    summary: 'Chart data.',
    input: z.object({ id: z.string() }),
    output: RolloutSeries,
    permission: 'read',
    run: async (_context, { id }) => ok(series(id, Date.now())),
  }),
  operation({
    name: 'explain_rollout',
    summary: 'Evidence.',
    input: z.object({ id: z.string() }),
    output: z.object({ evidence: RolloutEvidence.nullable() }),
    permission: 'read',
    run: async (_context, { id }) => ok({ evidence: evidence(id) }),
  }),
  ...['promote', 'pause', 'resume', 'abort', 'rollback'].map(steer),
]

const steer = (name: string) =>
  operation({
    name,
    summary: `Does ${name}.`,
    input: Steering,
    output: z.object({ view: ServiceView }),
    permission: 'operate',
    async run(world, input, caller) {
      world.calls.push({ name, input, actor: caller.name, face: caller.face })
      return ok({ view: world.change(`${input.service}.${input.environment}`, (view) => view) })
    },
  })
