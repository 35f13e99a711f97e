import type { Alert } from '../../../core/shared/alert.ts'
import { START_OF_TIME_MS } from './life.ts'
import type { Plane } from './planes.ts'
import type { Move, PersonCommand } from './script.ts'
import { releaseIdOf } from './settings.ts'
import { brief } from './trace.ts'
import type { Universe } from './universe.ts'
import { STREAM } from './universe.ts'

/** Settings variants in which a version may exist. */
const VARIANTS = [0, 1, 2, 3]
const BAD_SHARE = 0.6
const DELIVER_AGAIN_MS = 700

/** Makes one move happen. */
export function make(universe: Universe, move: Move): void {
  const { network, target, users, trace, machines } = universe
  trace.line('script', () => describe(move))
  if (move.kind !== 'command' && move.kind !== 'call' && move.kind !== 'cut') network.note(move.kind)
  switch (move.kind) {
    case 'command':
      ask(universe, move.host, move.command)
      return
    case 'call':
      network.arm(move.method, move.fault)
      return
    case 'cut':
      network.cut(move.part, move.host, move.forMs)
      return
    case 'metrics':
      users.strike(move.fault)
      universe.scheduler.after(move.forMs, () => users.strike(null))
      return
    case 'edit':
      edit(universe.struck(), move.to)
      return
    case 'fight':
      fight(universe, move)
      return
    case 'revert':
      universe.struck().router.revert(STREAM)
      return
    case 'wipe':
      wipe(universe, universe.struck())
      return
    case 'crash-instances':
      each(move.version, (release) => target.crash(release, move.count))
      return
    case 'flap':
      each(move.version, (release) => target.flap(release, move.forMs))
      return
    case 'limp':
      each(move.version, (release) => target.limp(release, move.forMs))
      return
    case 'eject':
      eject(universe, move)
      return
    case 'behave':
      each(move.version, (release) => target.behave(release, move.behaviour))
      return
    case 'freeze':
      universe.freezeBoard.freeze(START_OF_TIME_MS + universe.scheduler.now())
      universe.scheduler.after(move.forMs, universe.freezeBoard.lift)
      return
    case 'reboot':
      target.reboot()
      return
    case 'kill':
      universe.kill(move.host, move.downMs)
      return
    case 'stop-process':
      machines.get(move.host)?.running?.life.stopFor(move.forMs)
      return
    case 'provider':
      universe.providers.strike(move.metric, move.fault)
      universe.scheduler.after(move.forMs, () => universe.providers.strike(move.metric, null))
      return
    case 'alerts':
      deliver(universe, move.host, move.alerts)
      return
    case 'clock': {
      const host = machines.get(move.host)?.host
      if (host !== undefined) host.wallOffsetMs += move.byMs
    }
  }
}

function eject(universe: Universe, { version, forMs }: { version: string | null; forMs: number }): void {
  const { router } = universe.struck()
  if (version === null) router.eject(STREAM, null)
  else each(version, (release) => router.eject(STREAM, release))
  universe.scheduler.after(forMs, router.takeBack)
}

/** As soon as there are two sets, the tool wants everything on the one that has less then. */
function fight(universe: Universe, { everyMs, forMs }: { everyMs: number; forMs: number }): void {
  const { scheduler } = universe
  const plane = universe.struck()
  const end = scheduler.now() + forMs
  let wanted: string | null = null
  const set = (): void => {
    if (scheduler.now() >= end) return
    const [least, next] = plane.router
      .entry(STREAM)
      .sets.toSorted((a, b) => a.weightPermille - b.weightPermille)
    if (next !== undefined) wanted ??= least?.version ?? null
    if (wanted !== null) edit(plane, wanted)
    scheduler.after(everyMs, set)
  }
  set()
}

/** Everything to one version, past every controller. */
function edit({ router }: Plane, to: string): void {
  router.edit(STREAM, (sets) => {
    const chosen = sets.find(({ version }) => version === to) ?? sets[0]
    return chosen === undefined ? {} : { [chosen.release]: 1000 }
  })
}

function wipe({ oracle }: Universe, { name, router, users }: Plane): void {
  router.wipe()
  users.restart()
  oracle.forget(name)
}

function each(version: string, act: (release: string) => void): void {
  for (const variant of VARIANTS) act(releaseIdOf(version, variant))
}

/** A controller that is dead answers nobody: who asks turns to another one, if there is any. */
export function ask(
  { machines, people, users, scheduler }: Universe,
  host: string,
  command: PersonCommand,
): void {
  const lives = [...machines.values()].flatMap(({ running }) => (running === null ? [] : [running]))
  const found = lives.find(({ life }) => life.host.name === host) ?? lives[0]
  if (found === undefined) return
  if (command.kind === 'deploy' && command.isBad)
    users.quality(releaseIdOf(command.version, command.settings), { errorShare: BAD_SHARE })
  scheduler.after(0, () => found.life.whenAwake(() => void people.ask(found.controller, STREAM, command)))
}

/** As Alertmanager does: what was not taken is sent again, to whoever answers then. */
function deliver(universe: Universe, host: string, alerts: readonly Alert[], tries = 5): void {
  const { machines, people, scheduler } = universe
  const again = (): void => {
    if (tries > 1) scheduler.after(DELIVER_AGAIN_MS, () => deliver(universe, host, alerts, tries - 1))
  }
  const lives = [...machines.values()].flatMap(({ running }) => (running === null ? [] : [running]))
  const found = lives.find(({ life }) => life.host.name === host) ?? lives[0]
  if (found === undefined) {
    again()
    return
  }
  scheduler.after(0, () =>
    found.life.whenAwake(() => {
      void people.warn(found.controller, alerts).then((isTaken) => {
        if (!isTaken) again()
      })
    }),
  )
}

export const describe = ({ at, kind, ...rest }: Move): string =>
  `${(at / 1000).toFixed(3)}s ${kind} ${brief(rest)}`
