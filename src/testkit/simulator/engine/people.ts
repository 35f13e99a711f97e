import type { Release } from '../../../core/release/release.ts'
import type { ServiceSettings } from '../../../core/release/settings.ts'
import type { Command } from '../../../core/rollout/command.ts'
import type { Event } from '../../../core/rollout/event.ts'
import type { Actor } from '../../../core/rollout/reason.ts'
import type { QueuedRollout, ServiceState } from '../../../core/rollout/state.ts'
import type { Alert } from '../../../core/shared/alert.ts'
import type { Problem } from '../../../core/shared/problem.ts'
import type { Result } from '../../../core/shared/result.ts'
import type { Decided } from '../../../engine/decided.ts'
import { loadRelease } from '../../../engine/effects.ts'
import { ROLLOUT_DOCUMENT } from '../../../engine/record.ts'
import { hearAlerts } from '../../../operations/hear-alerts.ts'
import type { Book } from './book.ts'
import type { SimulatedController } from './controller.ts'
import type { Life } from './life.ts'
import type { PersonCommand } from './script.ts'
import { planFor, releaseFor, releaseIdOf } from './settings.ts'
import type { Trace } from './trace.ts'

const ADA: Actor = { kind: 'person', name: 'ada' }
/** Somebody who gets no answer tries again, with the same request. */
const TRIES = 3
const TRY_AGAIN_MS = 700

type Deploy = Extract<PersonCommand, { kind: 'deploy' }>
/** What needs no plan. */
type Order = Exclude<PersonCommand, { kind: 'deploy' | 'rollback-to' }>

export type PeopleParts = {
  settings: readonly ServiceSettings[]
  book(stream: string): Book
  isBad(release: string): boolean
  trace: Trace
  violate(what: string): void
}

/** People at the command line: they ask one controller, and see what it answers. */
export type People = {
  ask(controller: SimulatedController, stream: string, command: PersonCommand): Promise<void>
  /** A monitoring system tells of alerts; whether they were taken. */
  warn(controller: SimulatedController, alerts: readonly Alert[]): Promise<boolean>
  /** Requests that a living controller has not answered yet. */
  waiting(): number
}

export function createPeople({ settings, book, isBad, trace, violate }: PeopleParts): People {
  let asked = 0
  const open = new Set<{ life: Life }>()

  async function ask(controller: SimulatedController, stream: string, command: PersonCommand): Promise<void> {
    const question = { life: controller.life }
    open.add(question)
    await controller.serving
    await answer(controller, stream, command)
    open.delete(question)
  }

  async function answer(
    controller: SimulatedController,
    stream: string,
    command: PersonCommand,
  ): Promise<void> {
    if (command.kind === 'deploy') await deploy(controller, stream, command)
    else if (command.kind === 'rollback-to') await goBack(controller, stream)
    else await order(controller, stream, command)
  }

  async function order(controller: SimulatedController, stream: string, asked: Order): Promise<void> {
    const { kind } = asked
    const command = commandOf(asked)
    trace.line('person', () => `asks ${controller.life.name} for ${kind}`)
    const decided = await controller.handle(stream, command)
    trace.line('person', () => `${kind}: ${decided.kind === 'ok' ? 'accepted' : decided.problem.code}`)
    if (decided.kind === 'failed') return
    const { rollout } = decided.value.state
    const facts = rollout === null ? undefined : book(stream).facts.get(rollout.id)
    if (facts === undefined) return
    const has = (event: Event['kind']): boolean => decided.value.events.some(({ kind: one }) => one === event)
    // Where the next one begins with the end of the aborted one, the state is about the next one.
    if (kind === 'abort' && has('return-started') && !has('rollout-started')) facts.wasAborted = true
  }

  async function deploy(controller: SimulatedController, stream: string, command: Deploy): Promise<string> {
    const own = settings[command.settings] ?? settings[0]
    if (own === undefined) throw new Error('there are no settings')
    const id = releaseIdOf(command.version, command.settings)
    const release = releaseFor(stream, { version: command.version, id, settings: own })
    return begin(controller, stream, { release, kind: 'deploy', now: command.now })
  }

  async function goBack(controller: SimulatedController, stream: string): Promise<void> {
    const loaded = await controller.engine.load(stream)
    const to = loaded.kind === 'ok' ? loaded.value.state.previous[0] : undefined
    if (to === undefined) return
    const release = await loadRelease(controller.ports.store, to.release)
    if (release.kind === 'failed') return
    await begin(controller, stream, { release: release.value, kind: 'rollback', now: true })
  }

  type Beginning = { release: Release; kind: 'deploy' | 'rollback'; now: boolean }

  async function begin(
    controller: SimulatedController,
    stream: string,
    { release, kind, now }: Beginning,
  ): Promise<string> {
    asked += 1
    const id = `rollout-${asked}`
    trace.line('person', () => `asks ${controller.life.name} for a ${kind} of ${release.id} as ${id}`)
    book(stream).facts.set(id, { isBad: isBad(release.id), wasAborted: false })
    for (let attempt = 0; attempt < TRIES; attempt += 1) {
      // As the operations do: a request that took effect, although nobody heard so, is not made again.
      const record = attempt === 0 ? null : await controller.ports.store.getDocument(ROLLOUT_DOCUMENT, id)
      if (record?.kind === 'ok' && record.value !== null) return id
      const isUnknown = record?.kind === 'failed'
      const rollout = isUnknown ? null : await prepare(controller, stream, { release, kind, id })
      if (rollout !== null) {
        const decided = await hand(controller, stream, { kind: 'deploy', rollout, now, wait: true })
        trace.line('person', () => `${id}: ${decided.kind === 'ok' ? 'accepted' : decided.problem.code}`)
        if (decided.kind === 'ok' && !isHeeded(decided.value.state, rollout))
          violate(`${id} was accepted and forgotten`)
        if (decided.kind === 'ok' || !isWorthAnother(decided.problem)) return id
      }
      await controller.life.clock.sleep(TRY_AGAIN_MS)
    }
    return id
  }

  /** Some requests come twice, one right behind the other, where nobody else can come in between. */
  async function hand(
    controller: SimulatedController,
    stream: string,
    command: Extract<Command, { kind: 'deploy' }>,
  ): Promise<Result<Decided>> {
    const { id } = command.rollout
    const first = controller.handle(stream, command)
    if (controller.ports.store.shared || asked % 3 !== 0) return first
    const again = await controller.handle(stream, command)
    const isDropped = (event: Event): boolean =>
      event.kind === 'queue-dropped' && event.rollout === id && event.reason.evidence.by === id
    if (again.kind === 'ok' && again.value.events.some(isDropped))
      violate(`${id} took its own place, because its request came twice`)
    return first
  }

  async function prepare(
    { engine, ports, life }: SimulatedController,
    stream: string,
    { release, kind, id }: { release: Release; kind: 'deploy' | 'rollback'; id: string },
  ): Promise<QueuedRollout | null> {
    const put = await ports.store.putDocument({
      kind: 'release',
      id: release.id,
      stream,
      at: 0,
      body: release,
    })
    const loaded = await engine.load(stream)
    if (put.kind === 'failed' || loaded.kind === 'failed') return null
    const { state } = loaded.value
    const stable = state.stable === null ? null : await loadRelease(ports.store, state.stable.release)
    if (stable?.kind === 'failed') return null
    const now = life.clock.now()
    const plan = planFor(state, { release, stableRelease: stable?.value ?? null, kind, now })
    return {
      id,
      // Every other person insists: what is blocked comes again only for those.
      order: kind === 'rollback' ? 'rollback' : asked % 2 === 0 ? 'deploy' : 'retry',
      plan,
      settings: release.settings,
      actor: ADA,
      note: '',
      at: now,
      adoption: null,
      notBefore: null,
      baseline: null,
    }
  }

  async function warn(controller: SimulatedController, alerts: readonly Alert[]): Promise<boolean> {
    const { engine, ports, life } = controller
    await controller.serving
    const heard = await hearAlerts({ engine, store: ports.store }, alerts, life.clock.now())
    trace.line(
      'alerts',
      () => `${life.name}: ${heard.kind === 'ok' ? `${heard.value.taken} taken` : heard.problem.code}`,
    )
    return heard.kind === 'ok'
  }

  return { ask, warn, waiting: () => [...open].filter(({ life }) => !life.isDead()).length }
}

/** Stable changed between the plan and the request: people make a new plan, as the remedy says. */
const isWorthAnother = ({ retryable, code }: Problem): boolean => retryable || code === 'PLAN_MOVED'

/** Accepted means: it runs, it waits, or what it brings is on its way or there already. */
function isHeeded({ rollout, queued, stable }: ServiceState, { id, plan }: QueuedRollout): boolean {
  const { release } = plan.to
  const isGoing = rollout?.phase.kind !== 'ended' && rollout?.plan.to.release === release
  return rollout?.id === id || queued?.id === id || isGoing || stable?.release === release
}

function commandOf(order: Order): Command {
  const said = { actor: ADA, note: '' }
  switch (order.kind) {
    case 'jump':
      return { ...order, ...said }
    case 'promote':
    case 'promote-full':
      return { kind: 'promote', full: order.kind === 'promote-full', ...said }
    case 'discard':
      return { kind: 'discard', release: null, ...said }
    default:
      return { kind: order.kind, ...said }
  }
}
