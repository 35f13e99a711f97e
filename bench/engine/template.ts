import * as z from 'zod'
import { loadConfig } from '../../src/config/load.ts'
import { composePlan } from '../../src/core/plan/compose.ts'
import type { Release } from '../../src/core/release/release.ts'
import type { ServiceSettings } from '../../src/core/release/settings.ts'
import type { ServiceState } from '../../src/core/rollout/state.ts'
import { ServiceRoutes } from '../../src/core/shared/routes.ts'
import { SetRequest } from '../../src/core/shared/set-spec.ts'
import { RELEASE_DOCUMENT } from '../../src/engine/effects.ts'
import type { Store, StoreRow } from '../../src/ports/store.ts'
import { createStoreFake } from '../../src/testkit/fakes/store.ts'
import { until } from '../kit/processes.ts'
import { type Controller, startController } from './controller.ts'
import { createCounters } from './counters.ts'
import { createWorlds } from './worlds.ts'

/** Stands for the name of the service in everything that is copied; as long as the names that take its place. */
const PLACE = 'bench-number'
const STREAM = `${PLACE}.local`
export const EVALUATE_EVERY_MS = 10_000
const CANDIDATE_SHARE = 0.05
const STEP_LIMIT_MS = 30_000

/** What the defaults make of a canary; only the interval of the analysis is longer, and the first step lasts. */
const CONFIG = `
service: ${PLACE}
run: { artifact: './releases/{{version}}', command: node server.js, replicas: 2 }
listen: 127.0.0.1:8080
health: { path: /up }
strategy: { canary: { steps: [{ weight: 5%, pause: 24h }, { weight: 25%, pause: 24h }, { weight: 100%, pause: 0s }] } }
analysis: { interval: ${EVALUATE_EVERY_MS / 1000}s }
`

/** One rollout in the middle of its first step: what is stored, and what the world around it was told. */
export const Template = z.object({
  since: z.number(),
  rows: z.array(z.custom<StoreRow>()),
  starts: z.array(SetRequest),
  routes: ServiceRoutes,
})
export type Template = z.infer<typeof Template>

export const streamName = (index: number): string => nameOf(index, STREAM)

/** The template with the name of another service. */
export function copyOf<T>(value: T, index: number): T {
  return JSON.parse(nameOf(index, JSON.stringify(value)))
}

const nameOf = (index: number, text: string): string =>
  text.replaceAll(PLACE, `shop-${String(index).padStart(PLACE.length - 5, '0')}`)

/** How requests are shared out among the releases of a service. */
export const splitOf = (service: string) => {
  const name = service.replace(/\.local$/, '')
  return [
    { release: releaseId(name, '1.0.0'), share: 1 - CANDIDATE_SHARE },
    { release: releaseId(name, '1.1.0'), share: CANDIDATE_SHARE },
  ]
}

const releaseId = (service: string, version: string): string => `${service}@${version}#bench`

/** Brings one service to the step by the engine itself: a first release, a canary, until it was evaluated once. */
export async function makeTemplate(): Promise<Template> {
  const since = Date.now()
  const store = createStoreFake().open()
  await store.join({ name: 'bench', pid: process.pid, host: 'bench', startedAt: since })
  const worlds = createWorlds({ keepCalls: true })
  const controller = await startController({
    store,
    worlds,
    metrics: createCounters(since, splitOf),
    onDecided: () => undefined,
  })
  const settings = loadSettings()
  await deploy(controller, store, releaseOf('1.0.0', settings, since))
  await reached(controller, ({ rollout }) => rollout?.phase.kind === 'ended')
  await deploy(controller, store, releaseOf('1.1.0', settings, since))
  await reached(
    controller,
    ({ rollout }) =>
      rollout?.plan.to.version === '1.1.0' && rollout.cursor !== null && stepKind(rollout) === 'observe',
  )
  const rows: StoreRow[] = []
  await controller.engine.load(STREAM)
  await store.dump((row) => void rows.push(row))
  await controller.end()
  const { target, router } = worlds.of(STREAM)
  return Template.parse({
    since,
    rows: rows.filter(belongsToRollout(rows)),
    starts: target.calls.filter(({ method }) => method === 'start').map(({ request }) => request),
    routes: router.writes.flatMap((write) => (write.kind === 'routes' ? [write.routes] : [])).at(-1),
  })
}

/** The stream, its releases, and its events from the beginning of the rollout on: what came before was pruned. */
function belongsToRollout(rows: readonly StoreRow[]): (row: StoreRow) => boolean {
  const began = rows.findLast((row) => row.row === 'event' && row.kind === 'rollout-started')
  const first = began?.row === 'event' ? began.sequence : 1
  return (row) =>
    row.row === 'stream' ||
    (row.row === 'event' && row.sequence >= first) ||
    (row.row === 'document' && row.kind === RELEASE_DOCUMENT)
}

function loadSettings(): ServiceSettings {
  const loaded = loadConfig({ file: 'sluice.yaml', text: CONFIG })
  if (loaded.kind === 'failed') throw new Error(JSON.stringify(loaded.problem))
  const settings = Object.values(loaded.value.services)[0]
  if (settings === undefined) throw new Error('The config of the bench has no service.')
  return settings
}

const releaseOf = (version: string, settings: ServiceSettings, createdAt: number): Release => ({
  id: releaseId(PLACE, version),
  stream: STREAM,
  version,
  artifact: {
    digest: `sha256:${version.padEnd(64, '0')}`,
    folder: `/artifacts/${version}`,
    bytes: 1,
    files: 1,
  },
  settings,
  secretVersions: {},
  createdAt,
  createdBy: 'bench',
  adopted: false,
})

async function deploy({ engine, attend }: Controller, store: Store, release: Release): Promise<void> {
  const { id, stream, version, settings, createdAt: at } = release
  await store.putDocument({ kind: RELEASE_DOCUMENT, id, stream, at, body: release })
  const now = Date.now()
  const state = await stateOf(engine)
  const stable = state.stable === null ? null : releaseOf(state.stable.version, settings, at)
  const content = composePlan({
    release,
    stable,
    candidate: null,
    kind: 'deploy',
    back: null,
    history: { provisionMs: null, drainMs: null, trafficOffMs: [] },
    actor: 'bench',
    now,
    warnings: [],
  })
  const plan = { ...content, id: `plan-${PLACE}-${version}`, hash: `hash-${version}` }
  const actor = { kind: 'person' as const, name: 'bench' }
  const rollout = {
    id: `rollout-${PLACE}-${version}`,
    order: 'deploy' as const,
    plan,
    settings,
    actor,
    note: '',
    at: now,
    adoption: null,
    notBefore: null,
    baseline: null,
  }
  const decided = await engine.handle(stream, { kind: 'deploy', rollout, now: false, wait: true })
  if (decided.kind === 'failed') throw new Error(decided.problem.message)
  attend(stream)
}

async function stateOf(engine: Controller['engine']): Promise<ServiceState> {
  const loaded = await engine.load(STREAM)
  if (loaded.kind === 'failed') throw new Error(loaded.problem.message)
  return loaded.value.state
}

const reached = ({ engine }: Controller, isThere: (state: ServiceState) => boolean): Promise<void> =>
  until(async () => isThere(await stateOf(engine)), {
    limitMs: STEP_LIMIT_MS,
    what: 'the rollout of the template',
  })

const stepKind = ({ plan, stepIndex }: NonNullable<ServiceState['rollout']>): string | undefined =>
  plan.steps[stepIndex]?.step.kind
